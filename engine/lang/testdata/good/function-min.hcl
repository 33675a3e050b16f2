check "min" {
  condition     = min(1, 3, 2) == 1
  error_message = "no"
}
