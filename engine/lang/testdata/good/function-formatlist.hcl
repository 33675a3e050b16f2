check "formatlist" {
  condition     = formatlist("%s.example", ["a", "b"])[1] == "b.example"
  error_message = "no"
}
