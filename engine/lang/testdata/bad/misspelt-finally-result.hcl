play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
    finally {
      step "reboot" "r" {
        when = step.s.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
      }
    }
  }
}
