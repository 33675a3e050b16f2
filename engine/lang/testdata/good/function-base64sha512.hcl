check "base64sha512" {
  condition     = startswith(base64sha512("hello world"), "MJ7MSJwS")
  error_message = "no"
}
