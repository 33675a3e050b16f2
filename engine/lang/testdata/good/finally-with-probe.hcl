play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    finally {
      probe "service" "x" {
        name = self.name
      }
    }
  }
}
