check "alltrue" {
  condition     = alltrue([true, true]) && alltrue([])
  error_message = "no"
}
