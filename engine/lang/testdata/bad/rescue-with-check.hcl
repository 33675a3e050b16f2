play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      check "x" {
        condition     = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
        error_message = "x"
      }
    }
  }
}
