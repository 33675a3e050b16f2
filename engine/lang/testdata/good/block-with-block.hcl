play "p" {
  hosts = group.guests
  block "b" {
    block "x" {
      step "reboot" "y" {
        when = self.rack == 1
      }
    }
  }
}
