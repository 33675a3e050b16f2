check "base64decode" {
  condition     = base64decode("YWJj") == "abc"
  error_message = "no"
}
