play "p" {
  hosts = group.guests
  check "c" {
    error_message = "x"
    condition = self.name # ERROR: "condition" must be a bool, not string
  }
}
