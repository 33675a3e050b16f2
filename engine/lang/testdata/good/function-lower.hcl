check "lower" {
  condition     = lower("VM1") == "vm1"
  error_message = "no"
}
