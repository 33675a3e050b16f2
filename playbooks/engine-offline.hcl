playbook {
  description = "Agentless Deep Security: bring offline anti-malware engines back"
  impact      = "Case B: the guests of one ESXi host are unprotected while its appliance or Mux restarts. Case A: the guest may lose its network for seconds while VMware Tools is changed."
  backout     = "Nothing to undo: services are restarted, a driver that VMware Tools should have had is added."
}

variable "mux_service" {
  type        = string
  default     = "auto"
  description = "init.d script of the Mux; auto picks nsx-context-mux or vShield-Endpoint-Mux"
  validation {
    condition     = can(regex("^[A-Za-z-]+$", var.mux_service))
    error_message = "must be the name of an init.d script"
  }
}

variable "wake" {
  type        = bool
  default     = false
  description = "resume suspended guests; a guest in standby heals by itself when it wakes"
}

variable "change_tools" {
  type        = bool
  default     = true
  description = "add or repair drivers of VMware Tools in a guest"
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

variable "reboot" {
  type        = bool
  default     = false
  description = "reboot a guest whose engine stays offline after everything else"
}

# 1. Look at every guest. A host that has no result is not in play.triage.hosts but in play.triage.missing.
play "triage" {
  hosts        = group.guests
  max_failures = "5%"                  # more guests than that without an answer: nobody can judge this estate
  probe "vm" "vm" {                    # vCenter: found, power, awake, on which ESXi host
    on   = self.vcenter
    uuid = self.uuid
  }
  probe "ds_computer" "engine" {       # DSM: state is online, offline, off, unsupported or unknown
    on        = self.dsm
    bios_uuid = self.bios_uuid
  }
}

# 2. Judge. Guests that are off, asleep or not protected by an appliance do not count.
locals {
  protected = [for g in play.triage.hosts : g if g.probe.engine.agentless]
  counted   = [for g in local.protected : g if g.probe.vm.awake && contains(["online", "offline", "unknown"], g.probe.engine.state)]
  asleep    = [for g in local.protected : g.name if g.probe.vm.found && !g.probe.vm.awake && g.probe.vm.power != "poweredOff"]
  suspended = [for g in local.protected : g.name if g.probe.vm.power == "suspended"]
  unseen    = [for g in play.triage.missing : g.esxi]     # where the inventory has them

  states    = [for g in local.counted : g.probe.engine.state]
  by_esxi   = { for g in local.counted : g.probe.vm.esxi => g.probe.engine.state... }
  guests    = { for g in local.counted : g.probe.vm.esxi => g.bios_uuid... }

  # Dark: no engine online, at least two offline, and more offline than not known.
  dark = [for esxi, s in local.by_esxi : esxi if !contains(s, "online")
          && count(s, "offline") > max(1, count(s, "unknown") + count(local.unseen, esxi))]
  lone = [for g in local.counted : g.name if g.probe.engine.state == "offline" && !contains(local.dark, g.probe.vm.esxi)]
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
  condition     = length(local.asleep) == 0 || var.wake
  error_message = "Asleep, left alone; they heal when they wake: ${join(", ", local.asleep)}"
}

check "not seen" {
  severity      = "warning"
  condition     = length(play.triage.missing) == 0
  error_message = "No answer about: ${join(", ", [for g in play.triage.missing : "${g.name} (${g.error})"])}"
}

play "wake" {
  hosts = var.wake ? local.suspended : []
  step "vm" "wake" {
    on    = self.vcenter
    uuid  = self.uuid
    power = "on"
  }
}

# 3. Case B: every counted guest of an ESXi host is offline: its appliance, then its Mux.
play "case_b" {
  hosts        = local.dark
  batch        = [1, "25%"]            # one host first, then a quarter at a time
  max_failures = 0
  recover "engines" {
    goal {
      probe "ds_computers" "guests" {
        on         = self.dsm
        bios_uuids = local.guests[self.name]
      }
      # Not "all": one guest with a fault of its own must not cost the others a restart of the Mux.
      condition = length(probe.guests.online) > 0
      within    = var.patience
      every     = var.poll
    }
    attempt "restart the agent of the appliance" {
      step "service" "ds_agent" {
        on    = self.dsva
        name  = "ds_agent"
        state = "restarted"
        sudo {}
      }
    }
    attempt "restart the Mux" {
      step "esxi_mux" "mux" {
        service = var.mux_service
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
}

# 4. Case A: the others of the ESXi host are online (or there is no other): look into the guest.
play "case_a" {
  hosts        = local.lone
  parallel     = 10
  max_failures = "25%"
  probe "service" "driver" {
    name = "vsepflt"
  }
  probe "vmware_tools" "tools" {}
  recover "engine" {
    goal {
      probe "ds_computer" "now" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
      }
      condition = probe.now.state == "online"
      within    = var.patience
      every     = var.poll
    }
    attempt "start the driver" {
      when = probe.driver.exists && !probe.driver.running
      step "service" "start" {
        name  = "vsepflt"
        state = "started"
      }
    }
    attempt "add file introspection to VMware Tools" {
      when = var.change_tools && probe.tools.installed && !probe.tools.file_introspection
      step "vmware_tools" "add" {
        features = ["VMCI", "FileIntrospection"]
      }
    }
    attempt "repair VMware Tools" {
      when = var.change_tools && probe.tools.installed && probe.tools.file_introspection
      step "vmware_tools" "repair" {
        repair = true
      }
    }
    attempt "reboot the guest" {
      when = var.reboot
      step "reboot" "reboot" {}
    }
  }
}
