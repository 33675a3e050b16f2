play "p" {
  hosts = group.guests
  recover "r" {
    when = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      step "reboot" "r" {}
    }
  }
}
