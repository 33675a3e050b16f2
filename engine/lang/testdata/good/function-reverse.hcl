check "reverse" {
  condition     = reverse(["a", "b"])[0] == "b"
  error_message = "no"
}
