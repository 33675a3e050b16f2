check "join" {
  condition     = join(", ", ["a", "b"]) == "a, b"
  error_message = "no"
}
