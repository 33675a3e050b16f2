# play.X.hosts are the hosts of which every entry has a result; play.X.missing are the others. A host that does not answer
# is unreachable; hosts for which a host was asked that does not answer are failed.
play "look" {
  hosts = group.guests
  probe "vm" "vm" {
    on   = self.vcenter
    uuid = self.uuid
  }
  probe "service" "agent" {
    name = "agent"
    failed_when = !result.exists
  }
}
locals {
  seen    = [for h in play.look.hosts : "${h.name} ${h.status}, agent ${h.probe.agent.running ? "runs" : "stopped"}"]
  unseen  = [for h in play.look.missing : "${h.name} ${h.status}: ${h.error}"]
  stopped = [for h in play.look.hosts : h.name if !h.probe.agent.running]
}
check "seen" {
  severity      = "warning"
  condition     = length(local.unseen) == 0
  error_message = jsonencode({ seen = local.seen, unseen = local.unseen })
}
check "enough" {
  condition     = length(local.seen) >= length(local.unseen)
  error_message = "only ${length(local.seen)} of ${length(local.seen) + length(local.unseen)} answered"
}
play "start" {
  hosts = local.stopped
  step "service" "start" {
    name  = "agent"
    state = "started"
  }
}
