check "zipmap" {
  condition     = zipmap(["a", "b"], [1, 2])["b"] == 2
  error_message = "no"
}
