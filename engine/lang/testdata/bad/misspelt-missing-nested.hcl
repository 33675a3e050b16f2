play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for x in ["a"] : [for m in play.p.missing : m.stauts]] # ERROR: There is no attribute "stauts" here. Did you mean "status"?
}
