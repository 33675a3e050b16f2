check "jsonencode" {
  condition     = jsonencode({ a = [1] }) == "{\"a\":[1]}"
  error_message = "no"
}
