play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "i" {
    service = "x"
  }
  step "reboot" "last" {
    when = include.i.names # ERROR: "when" must be a bool, not list of string
  }
}
