play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for h in play.p.hosts : h.probe.a.exists ? h.probe.a.pidd : null] # ERROR: There is no attribute "pidd" here. Did you mean "pid"?
}
