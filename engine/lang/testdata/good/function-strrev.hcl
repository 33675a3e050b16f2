check "strrev" {
  condition     = strrev("abc") == "cba"
  error_message = "no"
}
