play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = concat(play.p.hosts, play.p.hosts)[0].probe.a.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
}
