play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "i" {
    service = "x"
  }
  step "reboot" "last" {
    when = probe.now.running # ERROR: Play "p" has no probe "now"
  }
}
