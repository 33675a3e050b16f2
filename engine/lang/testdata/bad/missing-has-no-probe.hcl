play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for g in play.p.missing : g.probe.a.running] # ERROR: A host in .missing has no results
  b = play.p.missing[*].step                        # ERROR: A host in .missing has no results
  c = play.p.missing[*].eror                        # ERROR: Did you mean "error"?
  d = play.p.hosts[*].error                         # ERROR: Only hosts in .missing have an error.
  e = play.p.host                                   # ERROR: A play has hosts and missing
  f = play.p.hosts.name                             # ERROR: Read name of every element with [*].name
}
