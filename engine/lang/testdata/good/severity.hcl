# A check that warns reports and goes on; one that does not hold ends the host, or at file level the run.
play "p" {
  hosts = group.guests
  check "a warning" {
    severity      = "warning"
    condition     = self.rack != null
    error_message = "${self.name} has no rack"
  }
  check "an error" {
    when          = self.name == "vm2"
    severity      = "error"
    condition     = self.esxi == "esx1"
    error_message = "${self.name} is on ${self.esxi}"
  }
  step "service" "start" {
    name = "x"
  }
}
check "a warning of the run" {
  severity      = "warning"
  condition     = length(play.p.missing) == 0
  error_message = "missing: ${join(", ", [for h in play.p.missing : h.name])}"
}
check "an error of the run" {
  condition     = length(play.p.hosts) > 1
  error_message = "only ${length(play.p.hosts)}"
}
play "never" {
  hosts = group.guests
  step "reboot" "reboot" {}
}
