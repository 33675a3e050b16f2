play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "i" {
    service = "x"
  }
  step "reboot" "last" {
    when = include.i.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
  }
}
