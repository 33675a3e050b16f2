check "floor" {
  condition     = floor(1.8) == 1
  error_message = "no"
}
