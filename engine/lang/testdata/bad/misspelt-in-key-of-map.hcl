play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = { for h in play.p.hosts : h.nmae => 1 } # ERROR: There is no attribute "nmae" here. Did you mean "name"?
}
