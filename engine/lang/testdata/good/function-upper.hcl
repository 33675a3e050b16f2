check "upper" {
  condition     = upper("vm1") == "VM1"
  error_message = "no"
}
