playbook {
  description = "Agentless Deep Security: how is the estate? Looks at everything, changes nothing"
  impact      = "None: there is no step in it. Everything is asked once; guests are logged in to, unless inside = false."
}

variable "inside" {
  type        = bool
  default     = true
  description = "log in to every protected guest and look at VMware Tools and its driver"
}

variable "max_pattern_age" {
  type        = string
  default     = "3d"
  description = "the last successful security update should not be older than this"
  validation {
    condition     = duration(var.max_pattern_age) > 0
    error_message = "must be longer than nothing"
  }
}

variable "alarm" {
  type        = bool
  default     = false
  description = "end with exit status 5 when something is wrong: for monitoring"
}

# 1. Guests, as vCenter, DSM and NSX see them.
play "guests" {
  hosts = group.guests
  probe "vm" "vm" {
    on   = self.vcenter
    uuid = self.uuid
  }
  probe "ds_computer" "engine" {
    on        = self.dsm
    bios_uuid = self.bios_uuid
    name      = self.name # among clones
  }
  probe "nsx_tag" "tag" {
    when          = lookup(self, "nsx_tag", null) != null && lookup(self, "nsx", null) != null
    on            = lookup(self, "nsx", "localhost")
    uuid          = self.uuid
    tag           = try(lookup(self, "nsx_tag", null).name, "none")
    scope         = try(lookup(lookup(self, "nsx_tag", null), "scope", ""), "")
    ignore_errors = true
  }
}

locals {
  protected = [for g in play.guests.hosts : g if g.probe.engine.agentless]
  awake     = [for g in local.protected : g if g.probe.vm.awake]
  asleep    = sort([for g in local.protected : g.name if g.probe.vm.found && !g.probe.vm.awake && g.probe.vm.power != "poweredOff" && g.probe.vm.connection_state == "connected"])
  off       = [for g in local.protected : g.name if g.probe.vm.power == "poweredOff"]
  cut_off   = sort([for g in local.protected : g.name if g.probe.vm.found && g.probe.vm.connection_state != "connected"])
  unseen    = sort([for g in play.guests.missing : "${g.name} (${g.error})"])

  online   = [for g in local.awake : g.name if g.probe.engine.state == "online"]
  offline  = sort([for g in local.awake : g.name if g.probe.engine.state == "offline"])
  shown    = sort([for g in local.awake : g.name if g.probe.engine.error_shown])
  unknown  = sort([for g in local.awake : "${g.name} (${g.probe.engine.message})" if g.probe.engine.state == "unknown" && !g.probe.engine.error_shown])
  nameless = sort([for g in play.guests.hosts : "${g.name} (${g.probe.engine.message})" if g.probe.vm.awake && !g.probe.engine.found])
  tagless  = sort([for g in play.guests.hosts : g.name if g.probe.tag.status == "ok" && g.probe.tag.found && !g.probe.tag.tagged])
  deaf     = sort([for g in play.guests.hosts : g.name if g.probe.tag.status == "failed"])
  no_group = sort([for g in play.guests.hosts : g.name if g.probe.tag.status == "ok" && g.probe.tag.tagged && g.probe.vm.awake && g.probe.engine.state == "unsupported"])

  by_esxi = { for g in local.awake : g.probe.vm.esxi => g... }
}

# 2. ESXi hosts: appliance, Mux, and what NSX says of them; one guest each tells how old the patterns are.
play "esxi" {
  hosts       = [for esxi in keys(local.by_esxi) : esxi if contains(keys(host), esxi)]
  allow_empty = true
  probe "vm" "appliance" {
    on   = local.by_esxi[self.name][0].vcenter
    uuid = try(host[self.dsva].uuid, "")
    name = self.dsva
  }
  probe "nsx_health" "nsx" {
    when          = lookup(self, "nsx", null) != null
    on            = lookup(self, "nsx", "localhost")
    esxi          = self.name
    ref           = lookup(self, "esxi_ref", "")
    ignore_errors = true
  }
  probe "esxi_service" "ssh" {
    on      = local.by_esxi[self.name][0].vcenter
    name    = self.name
    service = "TSM-SSH"
  }
  probe "esxi_lockdown" "lockdown" { # before anybody logs in: ESXi locks accounts
    on   = local.by_esxi[self.name][0].vcenter
    name = self.name
  }
  probe "esxi_mux" "mux" {
    when          = !probe.lockdown.refused && (probe.ssh.running || !probe.ssh.exists)
    ignore_errors = true
  }
  probe "ds_agent" "agent" {
    when          = self.dsva != null && probe.appliance.power != "poweredOff"
    on            = self.dsva
    ignore_errors = true
    sudo {}
  }
  probe "ds_update" "update" {
    on            = local.by_esxi[self.name][0].dsm
    bios_uuid     = local.by_esxi[self.name][0].bios_uuid
    since         = "${duration(var.max_pattern_age)}s"
    ignore_errors = true
  }
}

locals {
  appliance_off = sort([for e in play.esxi.hosts : e.name if e.probe.appliance.found && e.probe.appliance.power != "poweredOn"])
  moved         = sort([for e in play.esxi.hosts : "${e.probe.appliance.name} (of ${e.name}, on ${e.probe.appliance.esxi})" if e.probe.appliance.found && e.probe.appliance.esxi != e.name])
  agents        = sort([for e in play.esxi.hosts : "${e.dsva} (${e.probe.agent.message})" if e.probe.agent.status == "ok" && !e.probe.agent.healthy])
  bare          = sort([for e in play.esxi.hosts : e.name if e.probe.mux.status == "ok" && !e.probe.mux.prepared])
  stopped       = sort([for e in play.esxi.hosts : e.name if e.probe.mux.status == "ok" && e.probe.mux.prepared && !e.probe.mux.running])
  nsx           = sort([for e in play.esxi.hosts : "${e.name} (${e.probe.nsx.message})" if e.probe.nsx.status == "ok" && contains(["down", "degraded"], e.probe.nsx.state)])
  nsx_silent    = sort([for e in play.esxi.hosts : e.name if e.probe.nsx.status == "failed"])
  no_look       = sort(concat([for e in play.esxi.hosts : e.name if e.probe.mux.status != "ok"], [for e in play.esxi.hosts : coalesce(e.dsva, "the appliance of ${e.name}") if e.probe.agent.status == "failed"]))
  failed        = sort([for e in play.esxi.hosts : "${e.name} (${e.probe.update.cause})" if e.probe.update.status == "ok" && e.probe.update.outcome == "failed"])
  old           = sort([for e in play.esxi.hosts : e.name if e.probe.update.status == "ok" && e.probe.update.outcome == "unknown"])
  esxi_unseen   = sort([for e in play.esxi.missing : "${e.name} (${e.error})"])
}

# 3. Inside of the guests.
play "inside" {
  hosts       = var.inside ? [for g in local.awake : g.name] : []
  allow_empty = true
  parallel    = 20
  probe "vmware_tools" "tools" {
    ignore_errors = true
  }
}

locals {
  tools     = [for g in play.inside.hosts : g if g.probe.tools.status == "ok"]
  closed    = sort(concat([for g in play.inside.hosts : g.name if g.probe.tools.status == "failed"], [for g in play.inside.missing : g.name]))
  no_tools  = sort([for g in local.tools : g.name if !g.probe.tools.installed])
  lacking   = sort([for g in local.tools : g.name if g.probe.tools.installed && !g.probe.tools.file_introspection])
  driver    = sort([for g in local.tools : g.name if g.probe.tools.file_introspection && !g.probe.tools.vsepflt_running])
  defective = sort([for g in local.tools : "${g.name} (${g.probe.tools.version})" if can(regex("^10\\.3\\.[5-9](\\.|$)", g.probe.tools.version))])
  rebooting = sort([for g in local.tools : "${g.name} (${g.probe.tools.reboot_hint})" if g.probe.tools.pending_reboot])
}

# 4. What is wrong where, and which playbook mends it.
locals {
  wrong = concat(
    local.unseen, local.cut_off, local.offline, local.unknown, local.nameless, local.shown, local.tagless,
    local.no_group, local.nsx_silent, local.deaf, local.nsx, local.appliance_off, local.moved,
    local.agents, local.bare, local.stopped, local.esxi_unseen, local.no_look, local.failed,
    local.old, local.closed, local.no_tools, local.lacking, local.driver, local.defective,
    local.rebooting,
  )
}

check "not seen" {
  severity      = "warning"
  condition     = length(local.unseen) == 0
  error_message = "No answer about guests: ${join(", ", local.unseen)}. Look at vCenter and DSM first."
}

check "cut off" {
  severity      = "warning"
  condition     = length(local.cut_off) == 0
  error_message = "vCenter has no connection to guests or to their ESXi hosts: ${join(", ", local.cut_off)}. Look there first."
}

check "engines" {
  severity      = "warning"
  condition     = length(local.offline) == 0
  error_message = "Engines are offline: ${join(", ", local.offline)}. dsplay run playbooks/engine-offline.hcl -i INVENTORY tells why, and mends it."
}

check "DSM knows" {
  severity      = "warning"
  condition     = length(local.unknown) == 0
  error_message = "DSM cannot say how engines are: ${join(", ", local.unknown)}. Look at DSM, and at the heartbeats of the appliances."
}

check "DSM has them" {
  severity      = "warning"
  condition     = length(local.nameless) == 0
  error_message = "DSM cannot tell which computers these guests are; whether they are protected is not known: ${join(", ", local.nameless)}."
}

check "errors shown" {
  severity      = "warning"
  condition     = length(local.shown) == 0
  error_message = "Engines are well, and DSM goes on showing an error: ${join(", ", local.shown)}. engine-offline.hcl clears it."
}

check "asleep" {
  severity      = "warning"
  condition     = length(local.asleep) == 0
  error_message = "Guests are asleep: ${join(", ", local.asleep)}. Nothing to do: their engines come back when they wake."
}

check "tags" {
  severity      = "warning"
  condition     = length(local.tagless) == 0
  error_message = "Guests have lost the tag that makes them protected: ${join(", ", local.tagless)}. engine-offline.hcl gives it back."
}

check "groups" {
  severity      = "warning"
  condition     = length(local.no_group) == 0
  error_message = "Guests have their tag, and no appliance protects them: ${join(", ", local.no_group)}. Look at group, policy and service profile in NSX."
}

check "NSX" {
  severity      = "warning"
  condition     = length(local.nsx_silent) == 0
  error_message = "NSX gave no answer about ESXi hosts: ${join(", ", local.nsx_silent)}. Look at NSX Manager first: without it engine-offline.hcl touches nothing."
}

check "NSX tags" {
  severity      = "warning"
  condition     = length(local.deaf) == 0
  error_message = "NSX gave no answer about the tags of guests: ${join(", ", local.deaf)}. Look at NSX Manager."
}

check "Guest Introspection" {
  severity      = "warning"
  condition     = length(local.nsx) == 0
  error_message = "NSX calls Guest Introspection ill on ESXi hosts: ${join(", ", local.nsx)}. engine-offline.hcl mends what can be mended there, where engines are offline."
}

check "appliances on" {
  severity      = "warning"
  condition     = length(local.appliance_off) == 0
  error_message = "Appliances are off, those of ESXi hosts: ${join(", ", local.appliance_off)}. dsplay run playbooks/engine-offline.hcl -i INVENTORY --var power_on_appliance=true powers them on."
}

check "appliances at home" {
  severity      = "warning"
  condition     = length(local.moved) == 0
  error_message = "Appliances run on another ESXi host than their own: ${join(", ", local.moved)}. Move them back in vCenter, and keep DRS from moving them."
}

check "agents" {
  severity      = "warning"
  condition     = length(local.agents) == 0
  error_message = "Agents of appliances are not well: ${join(", ", local.agents)}. engine-offline.hcl restarts them, where engines are offline."
}

check "prepared" {
  severity      = "warning"
  condition     = length(local.bare) == 0
  error_message = "ESXi hosts have no Mux: ${join(", ", local.bare)}. Deploy the service on their cluster in NSX."
}

check "Mux" {
  severity      = "warning"
  condition     = length(local.stopped) == 0
  error_message = "The Mux does not run on ESXi hosts: ${join(", ", local.stopped)}. engine-offline.hcl restarts it, where engines are offline."
}

check "ESXi hosts seen" {
  severity      = "warning"
  condition     = length(local.esxi_unseen) == 0
  error_message = "ESXi hosts could not be looked at: ${join(", ", local.esxi_unseen)}."
}

check "SSH" {
  severity      = "warning"
  condition     = length(local.no_look) == 0
  error_message = "Nobody could log in to ESXi hosts or appliances: ${join(", ", local.no_look)}. SSH is often off there: dsplay run playbooks/esxi-ssh.hcl -i INVENTORY --var 'on=[\"NAME\"]' switches it on for an ESXi host."
}

check "updates" {
  severity      = "warning"
  condition     = length(local.failed) == 0
  error_message = "Security updates fail on ESXi hosts: ${join(", ", local.failed)}. dsplay run playbooks/update-failed.hcl -i INVENTORY --var computer=BIOS_UUID tells why."
}

check "patterns" {
  severity      = "warning"
  condition     = length(local.old) == 0
  error_message = "No security update for ${var.max_pattern_age} on ESXi hosts: ${join(", ", local.old)}. Look at the scheduled tasks of DSM; update-failed.hcl proves the way."
}

check "logins" {
  severity      = "warning"
  condition     = length(local.closed) == 0
  error_message = "Guests could not be looked into: ${join(", ", local.closed)}. dsplay ping GUEST -i INVENTORY tells why."
}

check "Tools" {
  severity      = "warning"
  condition     = length(local.no_tools) == 0
  error_message = "VMware Tools is not installed in guests: ${join(", ", local.no_tools)}. Install it, with FileIntrospection."
}

check "introspection" {
  severity      = "warning"
  condition     = length(local.lacking) == 0
  error_message = "VMware Tools lacks FileIntrospection in guests: ${join(", ", local.lacking)}. dsplay run playbooks/tools-introspection.hcl -i INVENTORY adds it."
}

check "drivers" {
  severity      = "warning"
  condition     = length(local.driver) == 0
  error_message = "The driver vsepflt does not run in guests: ${join(", ", local.driver)}. engine-offline.hcl starts it, where the engine is offline."
}

check "defect" {
  severity      = "warning"
  condition     = length(local.defective) == 0
  error_message = "VMware Tools of a version that loses the Mux (KB 320927) in guests: ${join(", ", local.defective)}. Upgrade it to 10.3.10 or later."
}

check "reboots" {
  severity      = "warning"
  condition     = length(local.rebooting) == 0
  error_message = "Guests wait for a reboot: ${join(", ", local.rebooting)}. Their owners know when."
}

check "nothing is wrong" {
  condition     = !var.alarm || length(local.wrong) == 0
  error_message = "${length(local.wrong) == 1 ? "1 thing is" : "${length(local.wrong)} things are"} wrong, ${length(local.online)} of ${length(local.awake)} engines are online, ${length(local.off)} guests are off: see the warnings. Nothing was changed."
}
