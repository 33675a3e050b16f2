check "timecmp" {
  condition     = timecmp("2024-02-29T12:00:00Z", "2024-02-29T13:00:00Z") == -1
  error_message = "no"
}
