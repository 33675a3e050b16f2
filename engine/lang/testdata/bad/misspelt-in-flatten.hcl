play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "login" "l" {
    user = "x"
  }
}
locals {
  a = flatten([for h in play.p.hosts : [for d in h.probe.l.disks : d.fre]]) # ERROR: There is no attribute "fre" here. Did you mean "free"?
}
