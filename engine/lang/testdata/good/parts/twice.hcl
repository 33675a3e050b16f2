# A part that includes a part of its own, twice.
input "service" {
  type = string
}
input "limit" {
  type    = number
  default = 50
}
probe "service" "now" {
  name = input.service
}
include "nested/wait.hcl" "near" {
  pid = input.limit
}
include "nested/wait.hcl" "far" {
  when = probe.now.running
  pid  = input.limit * 10
}
step "service" "start" {
  when = !probe.now.running && include.near.enough
  name = input.service
}
output "far" {
  value = include.far.enough == null ? "unseen" : include.far.enough ? "far" : "near"
}
output "started" {
  value = step.start.changed
}
