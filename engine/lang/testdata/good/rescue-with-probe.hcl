play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      probe "service" "x" {
        name = self.name
      }
    }
  }
}
