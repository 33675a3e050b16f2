play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    finally {
      step "service" "x" {
        name = self.name
      }
    }
  }
}
