play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "login" "l" {
    user = "x"
  }
}
locals {
  a = play.p.hosts[*].probe.l.disks[*].pth   # ERROR: Did you mean "path"?
  b = play.p.hosts[*].probe.l.disks[0].pat   # ERROR: Did you mean "path"?
  c = play.p.hosts.*.probe.l.tag             # ERROR: Did you mean "tags"?
  d = play.p.hosts[0][*].nam                 # ERROR: Did you mean "name"?
  e = play.p.hosts[*].probe.l.tags.anything  # keys of a map are not known
}
