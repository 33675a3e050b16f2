play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "e" {
    for_each = ["a", "b"]
    name     = each.key
  }
}
locals {
  a = [for h in play.p.hosts : values(h.probe.e)[0].runing] # ERROR: There is no attribute "runing" here. Did you mean "running"?
}
