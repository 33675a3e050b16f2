play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = play.p.missing[*].nmae # ERROR: There is no attribute "nmae" here. Did you mean "name"?
}
