play "p" {
  hosts = group.guests
  step "reboot" "last" {
    when = anytrue([for k, v in { a = { on = true } } : v.onn]) # ERROR: There is no attribute "onn" here. Did you mean "on"?
  }
}
