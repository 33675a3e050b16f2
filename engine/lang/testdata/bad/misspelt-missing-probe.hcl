play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for m in play.p.missing : m.probe.a.running] # ERROR: There is no attribute "probe" here. A host in .missing has no results, because not every entry of the play has one: it has attributes, status and error. Those with results are in .hosts
}
