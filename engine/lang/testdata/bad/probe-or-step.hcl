play "p" {
  hosts = group.guests
  step "ds_computer" "a" { # ERROR: Not a step: The module "ds_computer" only looks
    bios_uuid = "x"
  }
  probe "reboot" "b" {} # ERROR: Not a probe: The module "reboot" changes things
  check "c" {
    condition     = probe.a.agentless # ERROR: Play "p" has no probe "a". Did you mean step.a?
    error_message = step.xx.status    # ERROR: Play "p" has no step "xx".
  }
}
