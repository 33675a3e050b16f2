play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = zipmap(play.p.hosts[*].name, play.p.hosts)["vm1"].probe.a.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
}
