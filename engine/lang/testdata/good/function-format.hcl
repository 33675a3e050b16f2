check "format" {
  condition     = format("%s-%03d", "vm", 7) == "vm-007"
  error_message = "no"
}
