play "p" {
  hosts = group.guests
  check "c" {
    title         = "Is it here?"
    condition     = self.name != ""
    error_message = "x"
  }
}
