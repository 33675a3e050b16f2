play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    finally {
      probe "service" "x" {
        name = self.nmae # ERROR: There is no attribute "nmae" here. Did you mean "name"?
      }
    }
  }
}
