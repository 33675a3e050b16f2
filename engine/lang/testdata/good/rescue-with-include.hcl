play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      include "parts/restart.hcl" "x" {
        service = "x"
      }
    }
  }
}
