play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "a" {
    name = "x"
  }
}
locals {
  a = { for k, v in { for m in play.p.missing : m.status => m... } : k => [for m in v : m.erro] } # ERROR: There is no attribute "erro" here. Did you mean "error"?
}
