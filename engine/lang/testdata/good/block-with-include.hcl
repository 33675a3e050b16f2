play "p" {
  hosts = group.guests
  block "b" {
    include "parts/restart.hcl" "x" {
      service = "x"
    }
  }
}
