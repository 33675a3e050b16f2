play "p" {
  hosts = group.guests
  block "b" {
    block "x" {
      step "reboot" "y" {
        when = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
      }
    }
  }
}
