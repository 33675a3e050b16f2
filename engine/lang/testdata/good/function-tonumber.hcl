check "tonumber" {
  condition     = tonumber("5") == 5
  error_message = "no"
}
