check "range" {
  condition     = length(range(1, 10, 3)) == 3
  error_message = "no"
}
