play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "i" {
    service = "x"
  }
  step "reboot" "last" {
    when = anytrue([for x in ["a"] : include.i.chnged]) # ERROR: There is no attribute "chnged" here. Did you mean "changed"?
  }
}
