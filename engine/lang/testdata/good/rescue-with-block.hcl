play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      block "x" {
        step "reboot" "y" {
          when = self.rack == 1
        }
      }
    }
  }
}
