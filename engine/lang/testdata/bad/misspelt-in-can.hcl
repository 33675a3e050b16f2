play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for h in play.p.hosts : can(h.probe.a.runing)] # ERROR: There is no attribute "runing" here. Did you mean "running"?
}
