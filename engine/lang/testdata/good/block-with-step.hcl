play "p" {
  hosts = group.guests
  block "b" {
    step "service" "x" {
      name = self.name
    }
  }
}
