play "p" {
  hosts = group.guests
  probe "service" "e" {
    for_each = ["a", "b"]
    name     = each.key
  }
  step "reboot" "last" {
    when = length([for k, r in probe.e : k if r.exits]) > 0 # ERROR: There is no attribute "exits" here. Did you mean "exists"?
  }
}
