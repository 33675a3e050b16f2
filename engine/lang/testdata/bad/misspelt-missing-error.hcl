play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = [for m in play.p.missing : m.eror] # ERROR: There is no attribute "eror" here. Did you mean "error"?
}
