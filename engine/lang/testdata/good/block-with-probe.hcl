play "p" {
  hosts = group.guests
  block "b" {
    probe "service" "x" {
      name = self.name
    }
  }
}
