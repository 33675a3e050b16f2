check "can" {
  condition     = can(tonumber("1")) && !can(tonumber("x"))
  error_message = "no"
}
