check "length" {
  condition     = length({ a = 1 }) == 1 && length("abc") == 3
  error_message = "no"
}
