playbook {
  description = "Agentless Deep Security: bring offline anti-malware engines back"
  impact      = "Case B (every engine of an ESXi host is offline): its appliance and its Mux are restarted, one ESXi host first; until then its guests are unprotected, as they are now. Case A (some are online): a guest's driver is started, or VMware Tools is changed, and it may lose its network for seconds. Only with consent: a guest is woken or rebooted, an appliance powered on, a snapshot taken."
  backout     = "Nothing to undo: services are restarted, a tag or a driver that was missing is added. Snapshots are removed by remove-snapshots.hcl."
}

# What may be done. What is false needs your consent.

variable "wake" {
  type        = bool
  default     = false
  description = "resume suspended guests; a guest in standby heals by itself when it wakes"
}

variable "power_on_appliance" {
  type        = bool
  default     = false
  description = "power on the appliance of an ESXi host on which every engine is offline; somebody may have switched it off on purpose"
}

variable "change_tools" {
  type        = bool
  default     = true
  description = "add or repair drivers of VMware Tools in a guest: it may lose its network for seconds"
}

variable "snapshot" {
  type        = bool
  default     = false
  description = "take a snapshot of a guest before VMware Tools is changed in it; remove-snapshots.hcl removes it again, which should be within days"
}

variable "reboot" {
  type        = bool
  default     = false
  description = "reboot a guest whose engine stays offline after everything else"
}

variable "clear_errors" {
  type        = bool
  default     = true
  description = "have DSM clear what it goes on showing of guests whose engine is well again; it clears every warning and error of such a guest at once"
}

# How.

variable "mux_service" {
  type        = string
  default     = "auto"
  description = "init.d script of the Mux; auto picks nsx-context-mux or vShield-Endpoint-Mux"
  validation {
    condition     = can(regex("^[A-Za-z-]+$", var.mux_service))
    error_message = "must be the name of an init.d script"
  }
}

variable "hang" {
  type        = string
  default     = "3m"
  description = "a restart that takes longer than this hangs; it is killed and tried once more"
  validation {
    condition     = duration(var.hang) > 0
    error_message = "must be longer than nothing"
  }
}

variable "busy" {
  type        = string
  default     = "2m"
  description = "how long to wait before each further try while Windows installs something itself"
  validation {
    condition     = duration(var.busy) > 0
    error_message = "must be longer than nothing"
  }
}

variable "installer" {
  type        = string
  default     = "20m"
  description = "how long a change of VMware Tools may take; the guest may lose its network meanwhile"
  validation {
    condition     = duration(var.installer) > 0
    error_message = "must be longer than nothing"
  }
}

variable "patience" {
  type        = string
  default     = "15m"
  description = "how long to wait for DSM to see a remedy before the next one: more than its heartbeat interval (10 minutes by default)"
  validation {
    condition     = duration(var.patience) > 0
    error_message = "must be longer than nothing"
  }
}

variable "poll" {
  type        = string
  default     = "30s"
  description = "how often DSM is asked meanwhile"
  validation {
    condition     = duration(var.poll) > 0
    error_message = "must be longer than nothing"
  }
}

# 1. Look at every guest. A host that has no result is not in play.triage.hosts but in play.triage.missing.
play "triage" {
  title        = "every guest, as vCenter and DSM see it"
  hosts        = group.guests
  max_failures = "5%" # more guests than that without an answer: nobody can judge this estate
  probe "vm" "vm" {   # vCenter: found, power, awake, on which ESXi host
    on   = self.vcenter
    uuid = self.uuid
  }
  probe "ds_computer" "engine" { # DSM: state is online, offline, off, unsupported or unknown
    on        = self.dsm
    bios_uuid = self.bios_uuid
    name      = self.name # among clones
  }
}

# 2. Judge the guests. Those that are off, asleep or not protected by an appliance do not count.
locals {
  protected = [for g in play.triage.hosts : g if g.probe.engine.agentless]
  counted   = [for g in local.protected : g if g.probe.vm.awake && contains(["online", "offline", "unknown"], g.probe.engine.state)]
  leftover  = [for g in local.counted : g.name if g.probe.engine.error_shown] # well, and DSM still shows the error of before
  cut_off   = [for g in local.protected : g.name if g.probe.vm.found && g.probe.vm.connection_state != "connected"]
  suspended = [for g in local.protected : g.name if g.probe.vm.power == "suspended"]
  standby   = [for g in local.protected : g.name if g.probe.vm.power == "poweredOn" && !g.probe.vm.awake && !contains(local.cut_off, g.name)]
  asleep    = sort(concat(var.wake ? [] : local.suspended, local.standby))
  nameless  = [for g in play.triage.hosts : "${g.name} (${g.probe.engine.message})" if g.probe.vm.awake && !g.probe.engine.found]
  unseen    = [for g in play.triage.missing : g.esxi] # where the inventory has them

  engine  = { for g in local.counted : g.name => g.probe.engine.error_shown ? "online" : g.probe.engine.state }
  states  = values(local.engine)
  by_esxi = { for g in local.counted : g.probe.vm.esxi => local.engine[g.name]... }
  guests  = { for g in local.counted : g.probe.vm.esxi => g.bios_uuid... }
  vcenter = { for g in local.counted : g.probe.vm.esxi => g.vcenter... }

  # Silent: no engine online, at least two offline, and more offline than not known.
  silent = [for esxi, s in local.by_esxi : esxi if !contains(s, "online")
  && count(s, "offline") > max(1, count(s, "unknown") + count(local.unseen, esxi))]
  strange = [for esxi in local.silent : esxi if !contains(keys(host), esxi)]

  # No appliance protects them, and the inventory says that they carry the operator's tag.
  tags = { for g in play.triage.hosts : g.name => lookup(g, "nsx_tag", null)
  if g.probe.vm.awake && g.probe.engine.state == "unsupported" && lookup(g, "nsx_tag", null) != null }
}

check "DSM knows" {
  condition     = count(local.states, "unknown") * 20 <= length(local.states)
  error_message = "DSM cannot say how ${count(local.states, "unknown")} of ${length(local.states)} guests are. Look at DSM first; nothing was touched."
}

check "one host, not the estate" {
  condition     = length(local.by_esxi) < 2 || !contains(local.states, "offline") || contains(local.states, "online")
  error_message = "No engine is online on any of ${length(local.by_esxi)} ESXi hosts. Look at DSM, NSX Manager and vCenter first; nothing was touched."
}

check "asleep" {
  severity      = "warning"
  condition     = length(local.asleep) == 0
  error_message = "Asleep, left alone; they heal when they wake: ${join(", ", local.asleep)}"
}

check "cut off" {
  severity      = "warning"
  condition     = length(local.cut_off) == 0
  error_message = "vCenter has no connection to these guests or to their ESXi hosts; look there first: ${join(", ", local.cut_off)}"
}

check "not seen" {
  severity      = "warning"
  condition     = length(play.triage.missing) == 0
  error_message = "No answer about: ${join(", ", [for g in play.triage.missing : "${g.name} (${g.error})"])}"
}

check "DSM has them" {
  severity      = "warning"
  condition     = length(local.nameless) == 0
  error_message = "DSM cannot tell which computers these are; whether they are protected is not known: ${join(", ", local.nameless)}"
}

check "in the inventory" {
  severity      = "warning"
  condition     = length(local.strange) == 0
  error_message = "Every engine is offline on ESXi hosts that the inventory does not have; left alone: ${join(", ", local.strange)}"
}

# 3. Look at the ESXi hosts with an engine offline. An NSX manager or a vCenter that does not answer ends it here.
play "around" {
  title        = "the ESXi hosts with an engine offline"
  hosts        = [for esxi, s in local.by_esxi : esxi if contains(s, "offline") && contains(keys(host), esxi)]
  max_failures = 0
  probe "vm" "appliance" {
    on   = local.vcenter[self.name][0]
    uuid = try(host[self.dsva].uuid, "")
    name = self.dsva
  }
  probe "nsx_health" "nsx" {
    when = lookup(self, "nsx", null) != null
    on   = lookup(self, "nsx", "localhost")
    esxi = self.name
    ref  = lookup(self, "esxi_ref", "")
  }
  probe "esxi_service" "ssh" {
    on      = local.vcenter[self.name][0]
    name    = self.name
    service = "TSM-SSH"
  }
  probe "esxi_lockdown" "lockdown" { # before anybody logs in: ESXi locks accounts
    on   = local.vcenter[self.name][0]
    name = self.name
  }
  probe "esxi_mux" "mux" {
    when          = !contains(local.by_esxi[self.name], "online") && !probe.lockdown.refused && (probe.ssh.running || !probe.ssh.exists)
    service       = var.mux_service
    ignore_errors = true
  }
  probe "ds_agent" "agent" {
    when          = !contains(local.by_esxi[self.name], "online") && self.dsva != null && probe.appliance.power != "poweredOff"
    on            = self.dsva
    ignore_errors = true
    sudo {}
  }
}

# 4. Judge the ESXi hosts. One guest alone says nothing of its host; an appliance that is off, or down for NSX, does.
locals {
  off  = [for e in play.around.hosts : e.name if e.probe.appliance.found && e.probe.appliance.power != "poweredOn"]
  down = [for e in play.around.hosts : e.name if e.probe.nsx.status == "ok" && e.probe.nsx.state == "down"]
  dark = [for e in play.around.hosts : e.name if contains(local.silent, e.name)
  || !contains(local.by_esxi[e.name], "online") && contains(concat(local.off, local.down), e.name)]
  lone = [for g in local.counted : g.name if g.probe.engine.state == "offline" && !contains(concat(local.dark, local.silent), g.probe.vm.esxi)]
  idle = [for e in play.around.hosts : e.name if e.probe.mux.status == "ok" && e.probe.mux.prepared && !e.probe.mux.running]

  # What nobody can mend from here, by ESXi host.
  beyond = { for e in play.around.hosts : e.name => (e.dsva == null
    ? "the inventory does not say which appliance is its own (dsva)"
    : e.probe.mux.status == "ok" && !e.probe.mux.prepared
    ? "it has no Mux: it is not prepared for Guest Introspection. Deploy the service on its cluster in NSX"
    : e.probe.appliance.found && e.probe.appliance.esxi != e.name
    ? "its appliance ${e.probe.appliance.name} has moved to ${e.probe.appliance.esxi}. Move it back, and keep DRS from moving it"
    : contains(local.off, e.name) && !var.power_on_appliance
    ? "its appliance ${e.probe.appliance.name} is ${e.probe.appliance.power}. Find out why; to power it on: --var power_on_appliance=true"
    : e.probe.agent.status == "ok" && e.probe.agent.answers && e.probe.agent.dsm == ""
    ? "its appliance ${e.dsva} is not activated. Activate it in DSM"
  : "") if contains(local.dark, e.name) }

  # Where the Mux cannot be restarted, and why.
  no_ssh = { for e in play.around.hosts : e.name => (e.probe.lockdown.refused
    ? "${e.probe.lockdown.message}. Except the account, or leave lockdown mode, in vCenter"
    : e.probe.ssh.exists && !e.probe.ssh.running
    ? "SSH is off (dsplay run playbooks/esxi-ssh.hcl -i INVENTORY --var ${shq("on=${jsonencode([e.name])}")} switches it on)"
    : e.probe.mux.status == "failed"
    ? "SSH gives no answer. Look at connection and login (dsplay ping ${e.name} -i INVENTORY)"
  : "") }

  # Some ESXi hosts have their Mux in vCenter's list of services: there it takes no SSH.
  listed = { for e in play.around.hosts : e.name => [for key in keys(e.probe.ssh.services) : key if strcontains(lower(key), "mux")] }
}

play "findings" {
  title = "what nobody can mend from here"
  hosts = [for esxi, why in local.beyond : esxi if why != ""]
  check "can be mended from here" {
    condition     = false
    error_message = "Every engine is offline: ${local.beyond[self.name]}. Nothing was touched on it."
  }
}

# 5. Asleep: only with consent.
play "wake" {
  title = "guests that sleep"
  hosts = var.wake ? local.suspended : []
  recover "engine" {
    goal {
      probe "ds_computer" "now" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
        name      = self.name # among clones
      }
      condition     = probe.now.state == "online" || probe.now.error_shown
      error_message = "its engine is not back, DSM says ${probe.now.state}"
      within        = var.patience
      every         = var.poll
    }
    attempt "resume the guest" {
      step "vm" "wake" {
        impact = "the guest goes on where it was suspended"
        on     = self.vcenter
        uuid   = self.uuid
        power  = "on"
      }
    }
  }
}

# 6. Case B: every counted guest of an ESXi host is offline: its appliance, then its Mux.
play "case_b" {
  title        = "ESXi hosts on which every engine is offline"
  hosts        = [for esxi, why in local.beyond : esxi if why == ""]
  batch        = [1, "25%"] # one host first, then a quarter at a time
  max_failures = 0
  check "SSH" {
    severity      = "warning"
    condition     = local.no_ssh[self.name] == "" || length(local.listed[self.name]) > 0
    error_message = "If the appliance is not the cause, its Mux cannot be restarted: ${local.no_ssh[self.name]}."
  }
  recover "engines" {
    goal {
      probe "ds_computers" "guests" {
        on         = self.dsm
        bios_uuids = local.guests[self.name]
      }
      # Not "all": one guest with a fault of its own must not cost the others a restart of the Mux.
      condition     = length(concat(probe.guests.online, probe.guests.error_shown)) > 0
      error_message = "no engine is back, DSM shows none of its ${length(local.guests[self.name])} guests online"
      within        = var.patience
      every         = var.poll
    }
    attempt "power the appliance on" {
      when = contains(local.off, self.name)
      step "vm" "power_on" {
        impact = "the appliance takes part of the ESXi host's memory and processors again"
        on     = local.vcenter[self.name][0]
        uuid   = try(host[self.dsva].uuid, "")
        name   = self.dsva
        power  = "on"
      }
    }
    attempt "start the Mux" {
      when = contains(local.idle, self.name)
      step "esxi_mux" "start_mux" {
        impact  = "access to files in the guests of this ESXi host may pause"
        service = var.mux_service
        state   = "restarted"
        timeout = var.hang
        retry {
          attempts = 2
          on       = ["timeout"] # a restart that hung has often left it stopped
        }
      }
    }
    attempt "restart the agent of the appliance" {
      step "ds_agent" "ds_agent" { # and a heartbeat: DSM need not wait for the next one
        impact    = "until it is back no guest of this ESXi host is protected; now none is"
        on        = self.dsva
        state     = "restarted"
        heartbeat = true
        sudo {}
        timeout = var.hang
        retry {
          attempts = 2
          on       = ["timeout"] # a restart that hung has often left it stopped
        }
      }
    }
    attempt "restart the Mux" {
      when = local.no_ssh[self.name] == ""
      step "esxi_mux" "mux" {
        impact  = "the guests go on running; access to files may pause"
        service = var.mux_service
        state   = "restarted"
        timeout = var.hang
        retry {
          attempts = 2
          on       = ["timeout"] # a restart that hung has often left it stopped
        }
      }
    }
    attempt "restart the Mux through vCenter" {
      when = local.no_ssh[self.name] != "" && length(local.listed[self.name]) > 0
      step "esxi_service" "mux_service" {
        impact  = "the guests go on running; access to files may pause"
        on      = local.vcenter[self.name][0]
        name    = self.name
        service = try(local.listed[self.name][0], "none")
        state   = "restarted"
      }
    }
  }
  probe "ds_computers" "after" {
    on         = self.dsm
    bios_uuids = local.guests[self.name]
    retry {
      attempts = 20
      delay    = var.poll
      until    = length(result.offline) == 0
    }
  }
  check "every guest is back" {
    severity      = "warning"
    condition     = length(probe.after.offline) == 0
    error_message = "Still offline, a fault of their own, run again for case A: ${join(", ", probe.after.offline)}"
  }
  check "DSM shows it" {
    severity      = "warning"
    condition     = length(probe.after.error_shown) == 0
    error_message = "Well again, and DSM goes on showing the error of before; the next run clears it: ${join(", ", probe.after.error_shown)}"
  }
}

# 7. Tag missing: NSX does not send the guest to any appliance.
play "tag" {
  title        = "guests that have lost their tag"
  hosts        = keys(local.tags)
  parallel     = 10
  max_failures = "25%"
  include "parts/membership-tag.hcl" "tag" {
    nsx   = lookup(self, "nsx", "")
    uuid  = self.uuid
    tag   = local.tags[self.name].name
    scope = lookup(local.tags[self.name], "scope", "")
    group = lookup(local.tags[self.name], "group", "")
  }
  probe "ds_computer" "after" {
    when      = include.tag.missing
    on        = self.dsm
    bios_uuid = self.bios_uuid
    name      = self.name # among clones
    retry {
      attempts = 30
      delay    = var.poll
      until    = result.state == "online"
    }
  }
  check "protected" {
    condition     = include.tag.missing && probe.after.state == "online"
    error_message = "No appliance protects it, ${include.tag.missing ? "though it has its tag again" : "and its tag is not why"}. Look at group, policy and service profile in NSX. ${include.tag.message}"
  }
}

# 8. Case A: the others of the ESXi host are online (or there is no other): look into the guest.
play "case_a" {
  title        = "guests whose engine is offline while others of their ESXi host are online"
  hosts        = local.lone
  parallel     = 10
  max_failures = "25%"
  probe "service" "driver" {
    name = "vsepflt"
  }
  probe "vmware_tools" "tools" {}
  check "VMware Tools" {
    condition     = probe.tools.installed
    error_message = "VMware Tools is not installed: install it at the console or through vCenter, with the feature FileIntrospection."
  }
  check "driver" {
    severity      = "warning"
    condition     = !probe.driver.running || !probe.tools.file_introspection || var.reboot
    error_message = "Its driver runs and has lost the Mux, or VMware Tools is broken. If the repair does not help, a reboot does (KB 320927, Tools before 10.3.10): --var reboot=true."
  }
  recover "engine" {
    goal {
      probe "ds_computer" "now" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
        name      = self.name # among clones
      }
      condition     = probe.now.state == "online" || probe.now.error_shown
      error_message = "its engine is not back, DSM says ${probe.now.state}"
      within        = var.patience
      every         = var.poll
    }
    attempt "send its policy" { # before anything is done in the guest, where nothing is wrong in it: its appliance may have lost it
      when = probe.driver.running && probe.tools.file_introspection
      step "ds_send_policy" "policy" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
        name      = self.name # among clones
        wait      = var.patience
        every     = var.poll
      }
    }
    attempt "start the driver" {
      when = probe.driver.exists && !probe.driver.running && lookup(probe.tools.driver_start, "vsepflt", "") != "disabled" # a repair enables it
      step "service" "start" {
        name  = "vsepflt"
        state = "started"
      }
    }
    attempt "add file introspection to VMware Tools" {
      when = var.change_tools && !probe.tools.file_introspection
      include "parts/tools-media.hcl" "add" {
        vcenter  = self.vcenter
        uuid     = self.uuid
        features = ["VMCI", "FileIntrospection"]
        snapshot = var.snapshot
        patience = var.busy
        wait     = var.installer
      }
      check "reboot_add" {
        severity      = "warning"
        condition     = !include.add.pending_reboot || var.reboot
        error_message = "The guest waits for a reboot, and is perhaps not protected until then. Reboot it, or consent: --var reboot=true."
      }
    }
    attempt "repair VMware Tools" {
      # Tools 10.3.5 to 10.3.9 lose the Mux by a defect (KB 320927): there a reboot helps, where it may be done.
      when = var.change_tools && probe.tools.file_introspection && !(var.reboot && can(regex("^10\\.3\\.[5-9](\\.|$)", probe.tools.version)))
      step "vm_snapshot" "before_repair" {
        title    = "take a snapshot before VMware Tools is changed"
        when     = var.snapshot
        on       = self.vcenter
        uuid     = self.uuid
        snapshot = "before dsplay changed VMware Tools"
        state    = "present"
      }
      step "vmware_tools" "repair" {
        impact = "the guest may lose its network for seconds"
        repair = true
        wait   = var.installer
        retry {
          attempts = 6
          delay    = var.busy
          on       = ["busy"] # Windows installs something itself: its turn comes first
        }
      }
      check "reboot_repair" {
        severity      = "warning"
        condition     = !step.repair.pending_reboot || var.reboot
        error_message = "The guest waits for a reboot, and is perhaps not protected until then. Reboot it, or consent: --var reboot=true."
      }
    }
    attempt "reboot the guest" {
      when = var.reboot
      step "reboot" "reboot" {
        impact = "the guest is away for minutes"
      }
    }
  }
  probe "service" "after" { # DSM sees the engine through the ESXi host: a guest that has lost its network looks well there
    title = "the guest still answers"
    name  = "vsepflt"
    retry {
      attempts = 3
      delay    = var.poll
      on       = ["timeout", "refused", "lost"]
    }
  }
}

# 9. Well, and DSM still shows the error of before.
play "leftovers" {
  title = "errors that DSM goes on showing"
  hosts = var.clear_errors ? local.leftover : []
  step "ds_clear_errors" "clear" {
    title      = "clear what DSM still shows, where the engine is well again"
    impact     = "every warning and error that DSM shows of these guests goes, also what is not about the engine"
    on         = self.dsm
    bios_uuids = [self.bios_uuid]
  }
}
