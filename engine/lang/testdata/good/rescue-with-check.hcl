play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      check "x" {
        condition     = self.rack == 1
        error_message = "x"
      }
    }
  }
}
