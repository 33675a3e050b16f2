play "p" {
  hosts = group.guests
  check "c" {
    condition = true
    error_message = "x"
    severity = "notice" # ERROR: "severity" must be "error" or "warning"
  }
}
