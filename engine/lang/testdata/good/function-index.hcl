check "index" {
  condition     = index(["a", "b"], "b") == 1
  error_message = "no"
}
