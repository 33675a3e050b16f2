play "p" {
  hosts = group.guests
  step "vmware_tools" "t" {
    features = ["a"]
  }
  step "reboot" "r" {
    when = step.t.status # ERROR: "when" must be a bool, not string.
  }
  step "reboot" "s" {
    when = step.t.status == "changed" && step.t.exit == 1 # ERROR: There is no attribute "exit" here.
  }
  step "reboot" "v" {
    when = step.t && true # ERROR: Here a bool is needed, and this is an object.
  }
  step "reboot" "u" {
    when = probe.t.installed # ERROR: Play "p" has no probe "t". Did you mean step.t?
  }
}
