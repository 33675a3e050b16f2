playbook {
  description = "Start the agents that are down, unless so many are that the cause lies elsewhere"
}

play "look" {
  hosts        = group.dsva
  max_failures = "25%"
  probe "service" "agent" {
    name = "ds_agent"
  }
}

locals {
  down   = [for h in play.look.hosts : h.name if !h.probe.agent.running]
  silent = [for h in play.look.missing : h.name]
}

check "a few, not the estate" {
  condition     = 2 * (length(local.down) + length(local.silent)) < length(group.dsva)
  error_message = "Down: ${join(", ", local.down)}; no answer: ${join(", ", local.silent)}. Look for a common cause first; nothing was touched."
}

play "start" {
  hosts = local.down
  batch = 1
  step "service" "start" {
    name  = "ds_agent"
    state = "started"
    sudo {}
  }
}
