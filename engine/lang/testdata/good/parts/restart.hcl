# Restarts a service where it does not run.
input "service" {
  type        = string
  description = "its name"
}
input "how" {
  type    = object({ state = optional(string, "restarted"), note = optional(string) })
  default = {}
}
input "anything" {
  default = null
}
probe "service" "now" {
  name = input.service
}
include "nested/wait.hcl" "wait" {
  pid = probe.now.pid == null ? 0 : probe.now.pid
}
step "service" "act" {
  when  = probe.now.status == "ok" && !probe.now.running && include.wait.enough && self.rack == null
  name  = input.service
  state = input.how.state
  note  = input.how.note
}
block "b" {
  step "reboot" "r" {
    when = step.act.changed && contains(group.guests, self.name)
  }
}
output "running" {
  value       = probe.now.running
  description = "it ran before"
}
output "changed" {
  value = step.act.changed || block.b.failed
}
output "names" {
  value = [for s in ["a", "b"] : "${s}-${input.service}"]
}
output "any" {
  value = input.anything
}
