play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = { for e, hs in { for h in play.p.hosts : h.esxi => h... } : e => [for h in hs : h.probe.a.pd] } # ERROR: There is no attribute "pd" here. Did you mean "pid"?
}
