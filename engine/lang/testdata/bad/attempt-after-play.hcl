play "p" {
  hosts        = group.guests
  max_failures = 0
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
    }
  }
}
locals {
  a = [for h in play.p.hosts : h.name if h.step.s.chnaged] # ERROR: There is no attribute "chnaged" here. Did you mean "changed"?
}
