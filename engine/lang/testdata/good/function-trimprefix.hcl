check "trimprefix" {
  condition     = trimprefix("vm-a", "vm-") == "a"
  error_message = "no"
}
