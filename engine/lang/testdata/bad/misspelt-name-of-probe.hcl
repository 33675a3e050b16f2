play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for h in play.p.hosts : h.probe.b.running] # ERROR: There is no attribute "b" here. Did you mean "a"?
}
