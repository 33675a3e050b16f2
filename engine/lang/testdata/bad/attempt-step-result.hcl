play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      step "service" "s" {
        name = "x"
      }
      step "reboot" "r" {
        when = step.s.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
      }
    }
  }
}
