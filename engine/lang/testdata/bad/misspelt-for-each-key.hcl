play "p" {
  hosts = group.guests
  probe "service" "e" {
    for_each = ["a", "b"]
    name     = each.key
  }
  step "reboot" "last" {
    when = probe.e["a"].runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
  }
}
