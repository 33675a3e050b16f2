play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "i" {
    service = "x"
  }
  step "reboot" "last" {
    when = include.j.running # ERROR: Play "p" has no include "j". Did you mean "i"?
  }
}
