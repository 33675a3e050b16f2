play "p" {
  hosts = group.guests
  block "b" {
    when = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
    step "reboot" "r" {}
  }
}
