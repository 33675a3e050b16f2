play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    finally {
      include "parts/restart.hcl" "x" {
        service = "x"
      }
    }
  }
}
