check "count" {
  condition     = count(["a", "b", "a"], "a") == 2
  error_message = "no"
}
