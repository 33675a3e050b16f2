play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
    }
    attempt "one" {
      step "reboot" "r" {}
    }
  }
}
