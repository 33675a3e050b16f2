check "slice" {
  condition     = slice(["a", "b", "c"], 1, 2)[0] == "b"
  error_message = "no"
}
