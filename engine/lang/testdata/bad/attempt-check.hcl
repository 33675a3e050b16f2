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
      step "reboot" "r" {}
      check "c" {
        condition     = step.r.stauts == "ok" # ERROR: There is no attribute "stauts" here. Did you mean "status"?
        error_message = "x"
      }
    }
  }
}
