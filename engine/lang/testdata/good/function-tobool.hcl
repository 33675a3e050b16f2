check "tobool" {
  condition     = tobool("true")
  error_message = "no"
}
