play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for x in ["a"] : { for h in play.p.hosts : h.name => h.probe.a.exsts }] # ERROR: There is no attribute "exsts" here. Did you mean "exists"?
}
