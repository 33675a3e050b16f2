check "tostring" {
  condition     = tostring(5) == "5"
  error_message = "no"
}
