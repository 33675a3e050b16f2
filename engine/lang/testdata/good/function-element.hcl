check "element" {
  condition     = element(["a", "b"], 3) == "b"
  error_message = "no"
}
