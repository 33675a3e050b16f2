play "p" {
  hosts = group.guests
  probe "login" "l" {
    user = "x"
  }
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      step "reboot" "r" {
        when = anytrue([for d in probe.l.disks : d.fere > 0]) # ERROR: There is no attribute "fere" here. Did you mean "free"?
      }
    }
  }
}
