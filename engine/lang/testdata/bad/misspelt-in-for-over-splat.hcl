play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for p in play.p.hosts[*].probe.a : p.runing] # ERROR: There is no attribute "runing" here. Did you mean "running"?
}
