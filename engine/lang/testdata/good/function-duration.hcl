check "duration" {
  condition     = duration("1h30m") == 5400
  error_message = "no"
}
