# One part, used twice, with a part in it that is used twice. Outputs of a part that was skipped are null.
play "p" {
  hosts = group.guests
  include "parts/twice.hcl" "first" {
    service = "a"
  }
  include "parts/twice.hcl" "second" {
    when    = !include.first.started
    service = include.first.far
    limit   = 5
  }
  step "reboot" "reboot" {
    when = include.second.started == null ? false : include.second.started
  }
}
