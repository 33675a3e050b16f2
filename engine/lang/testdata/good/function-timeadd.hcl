check "timeadd" {
  condition     = timeadd("2024-02-29T12:00:00Z", "10m") == "2024-02-29T12:10:00Z"
  error_message = "no"
}
