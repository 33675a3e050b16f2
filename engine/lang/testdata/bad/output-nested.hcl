play "p" {
  hosts = group.guests
  include "parts/output-nested-part.hcl" "i" {}
  step "reboot" "r" {
    when = anytrue([for d in include.i.disks : d.fre > 0]) # ERROR: Did you mean "free"?
  }
}
