play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "login" "l" {
    user = "x"
  }
}
locals {
  a = [for h in play.p.hosts : [for d in h.probe.l.disks : [for x in [d] : x.pth]]] # ERROR: There is no attribute "pth" here. Did you mean "path"?
}
