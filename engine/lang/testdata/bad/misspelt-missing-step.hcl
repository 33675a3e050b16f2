play "p" {
  hosts        = group.guests
  max_failures = 0
  step "service" "s" {
    name = "x"
  }
}
locals {
  a = { for m in play.p.missing : m.name => m.step.s.changed } # ERROR: There is no attribute "step" here. A host in .missing has no results, because not every entry of the play has one: it has attributes, status and error. Those with results are in .hosts
}
