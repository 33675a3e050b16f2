play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for o in [for h in play.p.hosts : { up = h.probe.a.running }] : o.upp] # ERROR: There is no attribute "upp" here. Did you mean "up"?
}
