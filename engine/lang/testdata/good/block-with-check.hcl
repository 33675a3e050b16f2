play "p" {
  hosts = group.guests
  block "b" {
    check "x" {
      condition     = self.rack == 1
      error_message = "x"
    }
  }
}
