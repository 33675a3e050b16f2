check "formatdate" {
  condition     = formatdate("YYYY-MM-DD", "2024-02-29T12:00:00Z") == "2024-02-29"
  error_message = "no"
}
