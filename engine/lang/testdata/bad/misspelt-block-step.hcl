play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
  }
  step "reboot" "last" {
    when = step.s.chnged # ERROR: There is no attribute "chnged" here. Did you mean "changed"?
  }
}
