playbook {
  description = "ESXi: turn SSH on for as long as it is needed, and put it back as it was"
  impact      = "While it is on, whoever has root's key or password and reaches the port can log in to these ESXi hosts. Policies are not touched: SSH that is started here is off again when the host restarts."
  backout     = "This playbook with the list back, which the run that turns SSH on tells."
}

variable "on" {
  type        = list(string)
  default     = []
  description = "ESXi hosts on which SSH is to be turned on"
}

variable "back" {
  type        = list(string)
  default     = []
  description = "ESXi hosts on which a run of this playbook has turned SSH on; it is turned off again"
}

variable "user" {
  type        = string
  default     = "root"
  description = "the account that is to log in; lockdown mode may keep it out"
}

check "one direction" {
  condition     = (length(var.on) > 0) != (length(var.back) > 0)
  error_message = "Say either on or back, as --var 'on=[\"esx1\"]'. Nothing was touched."
}

# 1. Look, over the vCenter: nothing needs SSH for that. One host that cannot be asked ends the run.
play "look" {
  hosts        = concat(var.on, var.back)
  max_failures = 0
  probe "esxi_service" "ssh" {
    on      = self.vcenter
    name    = self.name
    service = "TSM-SSH"
  }
  probe "esxi_lockdown" "lockdown" {
    on   = self.vcenter
    name = self.name
    user = var.user
  }
}

locals {
  seen    = [for h in play.look.hosts : h if h.probe.ssh.exists]
  unknown = [for h in play.look.hosts : "${h.name} (${h.probe.ssh.found ? "it lists no service TSM-SSH" : h.probe.ssh.message})" if !h.probe.ssh.exists]
  kept    = [for h in local.seen : h if h.probe.lockdown.refused]

  start = [for h in local.seen : h.name if contains(var.on, h.name) && !h.probe.ssh.running && !h.probe.lockdown.refused]

  # SSH whose policy is not "off" is meant to run: it was not this playbook that turned it on.
  meant = [for h in local.seen : h.name if contains(var.back, h.name) && h.probe.ssh.running && h.probe.ssh.policy != "off"]
  stop  = [for h in local.seen : h.name if contains(var.back, h.name) && h.probe.ssh.running && h.probe.ssh.policy == "off"]
}

check "known" {
  condition     = length(local.unknown) == 0
  error_message = "vCenter knows nothing of SSH on: ${join(", ", local.unknown)}. Nothing was touched."
}

check "lockdown" {
  severity      = "warning"
  condition     = length(var.on) == 0 || length(local.kept) == 0
  error_message = "Left alone, because SSH would refuse ${var.user} all the same: ${join("; ", [for h in local.kept : h.probe.lockdown.message])}. Do not try to log in there: refused logins lock accounts."
}

# What was before stands here, before anything is done: it is in the plan, on the screen and in the record of the run.
check "how to put it back" {
  severity      = "warning"
  condition     = length(local.start) == 0
  error_message = "SSH is off on ${join(", ", local.start)}; this run turns it on. When the work is done, put it back: dsplay run playbooks/esxi-ssh.hcl -i INVENTORY --var ${shq("back=${jsonencode(local.start)}")}"
}

check "meant to run" {
  severity      = "warning"
  condition     = length(local.meant) == 0
  error_message = "Left running, because the policy of SSH says that it is meant to: ${join(", ", local.meant)}."
}

# 2. On, where it was off.
play "on" {
  hosts        = local.start
  max_failures = "100%" # each ESXi host stands for itself
  step "esxi_service" "ssh" {
    title   = "turn SSH on"
    on      = self.vcenter
    name    = self.name
    service = "TSM-SSH"
    state   = "started"
  }
}

check "turned on here" {
  severity      = "warning"
  condition     = alltrue([for h in play.on.hosts : h.step.ssh.changed])
  error_message = "Somebody else was faster on ${join(", ", [for h in play.on.hosts : h.name if !h.step.ssh.changed])}: leave those out when you put SSH back."
}

# 3. Back, where a run of this playbook has turned it on.
play "back" {
  hosts = local.stop
  step "esxi_service" "ssh" {
    title   = "turn SSH off again"
    on      = self.vcenter
    name    = self.name
    service = "TSM-SSH"
    state   = "stopped"
  }
}
