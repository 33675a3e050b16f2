play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    finally {
      check "x" {
        condition     = self.rack == 1
        error_message = "x"
      }
    }
  }
}
