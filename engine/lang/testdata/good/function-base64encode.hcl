check "base64encode" {
  condition     = base64encode("abc") == "YWJj"
  error_message = "no"
}
