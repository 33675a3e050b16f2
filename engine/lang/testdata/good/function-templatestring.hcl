check "templatestring" {
  condition     = templatestring("Hello $${name}", { name = "Ann" }) == "Hello Ann"
  error_message = "no"
}
