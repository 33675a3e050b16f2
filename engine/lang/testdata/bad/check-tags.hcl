play "p" {
  hosts = group.guests
  check "c" {
    condition = true
    error_message = "x"
    tags = "x" # ERROR: "tags" must be a list of string, not string
  }
}
