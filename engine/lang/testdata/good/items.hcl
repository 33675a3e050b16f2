# Items are taken in the order of their keys; one that fails does not stop the others, and then the entry fails.
variable "services" {
  type    = map(object({ state = string, wanted = optional(bool, true) }))
  default = { c = { state = "started" }, a = { state = "stopped" }, b = { state = "restarted", wanted = false } }
}
play "p" {
  hosts        = group.guests
  max_failures = 2
  probe "service" "now" {
    for_each = var.services
    name     = each.key
  }
  step "service" "set" {
    for_each     = var.services
    when         = each.value.wanted && probe.now[each.key].exists
    name         = each.key
    state        = each.value.state
    changed_when = result.running
    failed_when  = !result.exists
    retry {
      attempts = 2
      delay    = "3s"
    }
  }
  step "login" "per_disk" {
    for_each      = toset([for key, r in probe.now : key if r.running])
    ignore_errors = true
    user          = each.value
  }
  step "reboot" "reboot" {
    when = anytrue([for r in step.set : r.changed])
  }
}
locals {
  changed = { for h in play.p.hosts : h.name => [for key, r in h.step.set : key if r.changed] }
}
check "how it ended" {
  severity      = "warning"
  condition     = length(local.changed) == 2
  error_message = jsonencode({ changed = local.changed, missing = [for m in play.p.missing : "${m.name}: ${m.error}"] })
}
