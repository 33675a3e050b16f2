check "parseint" {
  condition     = parseint("ff", 16) == 255
  error_message = "no"
}
