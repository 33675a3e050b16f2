check "merge" {
  condition     = merge({ a = 1 }, { a = 2 }).a == 2
  error_message = "no"
}
