check "urlencode" {
  condition     = urlencode("a b&c") == "a+b%26c"
  error_message = "no"
}
