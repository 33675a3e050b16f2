check "regex" {
  condition     = regex("[0-9]+", "vm12") == "12"
  error_message = "no"
}
