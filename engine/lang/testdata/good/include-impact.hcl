play "p" {
  hosts = group.guests
  include "parts/nested/wait.hcl" "i" {
    impact = "none"
    pid    = 1
  }
}
