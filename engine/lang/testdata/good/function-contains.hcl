check "contains" {
  condition     = contains(["a", "b"], "b")
  error_message = "no"
}
