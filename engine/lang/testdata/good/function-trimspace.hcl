check "trimspace" {
  condition     = trimspace("  a\n") == "a"
  error_message = "no"
}
