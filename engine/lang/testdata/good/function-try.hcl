check "try" {
  condition     = try(tonumber("x"), 5) == 5
  error_message = "no"
}
