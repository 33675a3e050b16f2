play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "login" "l" {
    user = "x"
  }
}
locals {
  a = [for h in play.p.hosts : h.probe.l.disks[*].fere] # ERROR: There is no attribute "fere" here. Did you mean "free"?
}
