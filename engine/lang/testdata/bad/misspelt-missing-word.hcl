play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = play.p.mising # ERROR: A play has hosts and missing: play.p.hosts, play.p.missing
}
