check "abs" {
  condition     = abs(-5) == 5
  error_message = "no"
}
