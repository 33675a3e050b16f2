check "max" {
  condition     = max(1, 3, 2) == 3
  error_message = "no"
}
