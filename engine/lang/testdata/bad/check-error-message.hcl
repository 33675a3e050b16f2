play "p" {
  hosts = group.guests
  check "c" {
    condition = true
    error_message = ["x"] # ERROR: "error_message" must be a string, not tuple
  }
}
