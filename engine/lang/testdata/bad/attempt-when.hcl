play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
  }
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      when = probe.a.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
      step "reboot" "r" {}
    }
  }
}
