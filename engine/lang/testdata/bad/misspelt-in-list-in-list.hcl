play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for x in ["a"] : [for h in play.p.hosts : h.probe.a.runing]] # ERROR: There is no attribute "runing" here. Did you mean "running"?
}
