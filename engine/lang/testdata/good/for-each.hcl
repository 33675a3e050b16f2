variable "ports" {
  type    = map(number)
  default = { web = 80, ssh = 22 }
}
variable "any" {
  default = ["a", "b"]
}
play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "all" {
    for_each = ["a", "b"]
    name     = each.key
  }
  probe "service" "set" {
    for_each = toset(self.disks == null ? [] : self.disks)
    name     = "disk-${each.value}"
  }
  probe "service" "anything" {
    for_each = var.any
    name     = each.key
  }
  step "login" "ports" {
    for_each = var.ports
    when     = each.value > 22 && probe.all["a"].running
    on       = self.vcenter
    user     = each.key
    rule "r" {
      port = each.value
    }
    timeout      = "${each.value}s"
    failed_when  = length(result.disks) > 1000 || each.key == "x"
    changed_when = length(result.tags) > 0
    idempotent   = true
  }
  step "service" "objects" {
    for_each = { for name, r in probe.all : name => { running = r.running, status = r.status } }
    when     = !each.value.running
    name     = each.key
    state    = "started"
  }
  step "service" "mixed" {
    for_each    = { a = 1, b = "x" }
    name        = each.key
    note        = "is ${each.value}"
    state       = "started"
    failed_when = !result.running && false
  }
  step "service" "guarded" {
    when     = anytrue([for r in probe.all : r.running])
    for_each = [for name, r in probe.all : name if r.running]
    name     = each.key
    state    = "started"
  }
  step "reboot" "r" {
    when = anytrue([for r in step.objects : r.changed]) && contains(keys(step.guarded), "a") && step.objects["a"].status == "changed"
  }
  recover "all" {
    goal {
      probe "service" "now" {
        for_each = ["a", "b"]
        name     = each.key
      }
      condition = alltrue([for r in probe.now : r.running])
    }
    attempt "start" {
      step "service" "start" {
        for_each = toset(["a", "b"])
        name     = each.key
        state    = "started"
      }
    }
  }
}
locals {
  ports = { for h in play.p.hosts : h.name => [for key, r in h.step.ports : key if r.changed] }
  found = [for h in play.p.hosts : h.probe.set["c"].running if contains(keys(h.probe.set), "c")]
}
check "c" {
  condition     = length(local.ports) + length(local.found) > -1
  error_message = "never"
}
