check "keys" {
  condition     = keys({ b = 1, a = 2 })[0] == "a"
  error_message = "no"
}
