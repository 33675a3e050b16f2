play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
    rescue {
      step "reboot" "r" {
        when = block.b.stauts == "failed" # ERROR: There is no attribute "stauts" here. Did you mean "status"?
      }
    }
  }
}
