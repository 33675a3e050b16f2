play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      step "service" "x" {
        name = self.name
      }
    }
  }
}
