play "p" {
  hosts        = group.guests
  max_failures = 0
  step "service" "s" {
    name = "x"
  }
}
locals {
  a = [for h in play.p.hosts : h.step.ss.changed] # ERROR: There is no attribute "ss" here. Did you mean "s"?
}
