check "sum" {
  condition     = sum([1, 2, 3]) == 6
  error_message = "no"
}
