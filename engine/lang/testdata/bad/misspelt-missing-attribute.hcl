play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for m in play.p.missing : m.esx] # ERROR: There is no attribute "esx" here. Did you mean "esxi"?
}
