check "log" {
  condition     = log(8, 2) == 3
  error_message = "no"
}
