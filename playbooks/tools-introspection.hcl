playbook {
  description = "VMware Tools: find guests without FileIntrospection or without its driver, and add it in waves"
  impact      = "A guest may lose its network for seconds while VMware Tools is changed. Nothing is rebooted without consent; a guest that needs a reboot is named."
  backout     = "The feature stays: it does no harm. With snapshot = true a guest can go back to its snapshot by hand; remove-snapshots.hcl removes them."
}

# What may be done. What is false needs your consent.

variable "snapshot" {
  type        = bool
  default     = false
  description = "take a snapshot of a guest before; remove-snapshots.hcl removes it again, which should be within days"
}

variable "reboot" {
  type        = bool
  default     = false
  description = "reboot a guest, in its wave, where the change only works after that"
}

# How.

variable "wave" {
  type        = list(string)
  default     = ["1", "10%"]
  description = "how many guests at a time: one first, then a tenth of them"
}

variable "failures" {
  type        = number
  default     = 0
  description = "how many guests may fail before the rest is left alone"
}

variable "window" {
  type        = string
  default     = "Mon-Sun 00:00-24:00 UTC"
  description = "when guests may be begun, as \"Sat,Sun 01:00-05:00 Asia/Tokyo\"; what is left over then the next run does"
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

# 1. Which guests are on and awake? Then look into these.
play "guests" {
  hosts        = group.guests
  max_failures = "5%"
  probe "vm" "vm" {
    on   = self.vcenter
    uuid = self.uuid
  }
}

play "look" {
  hosts    = [for g in play.guests.hosts : g.name if g.probe.vm.awake]
  parallel = 20
  probe "vmware_tools" "tools" {}
  probe "vm_tools_media" "drive" { # for the image of VMware Tools
    on   = self.vcenter
    uuid = self.uuid
  }
}

locals {
  tools  = [for g in play.look.hosts : g if g.probe.tools.installed]
  ill    = { for g in local.tools : g.name => !g.probe.tools.file_introspection ? "lacking" : lookup(g.probe.tools.drivers, "vsepflt", "missing") == "missing" ? "broken" : "" }
  held   = { for g in local.tools : g.name => g.probe.drive.message if local.ill[g.name] != "" && g.probe.drive.message != "" }
  needed = [for name, how in local.ill : name if how != "" && !contains(keys(local.held), name)]
  bare   = sort([for g in play.look.hosts : g.name if !g.probe.tools.installed])
  asleep = sort([for g in play.guests.hosts : g.name if g.probe.vm.found && !g.probe.vm.awake])
  silent = sort([for g in concat(play.guests.missing, play.look.missing) : "${g.name} (${g.error})"])
}

check "not seen" {
  severity      = "warning"
  condition     = length(local.silent) == 0
  error_message = "Nobody could look into: ${join(", ", local.silent)}"
}

check "asleep" {
  severity      = "warning"
  condition     = length(local.asleep) == 0
  error_message = "Off or asleep, so nobody knows: ${join(", ", local.asleep)}"
}

check "VMware Tools" {
  severity      = "warning"
  condition     = length(local.bare) == 0
  error_message = "VMware Tools is not installed: ${join(", ", local.bare)}. Install it at the console or through vCenter, with the feature FileIntrospection"
}

check "the drive is free" {
  severity      = "warning"
  condition     = length(local.held) == 0
  error_message = "They need it, and the image of VMware Tools cannot be put in: ${join(", ", [for name, why in local.held : "${name} (${why})"])}"
}

# 2. Add it, or repair VMware Tools where the feature is there and its driver is not.
play "add" {
  hosts        = local.needed
  batch        = var.wave
  max_failures = var.failures
  window       = var.window
  include "parts/tools-media.hcl" "tools" {
    vcenter  = self.vcenter
    uuid     = self.uuid
    features = local.ill[self.name] == "broken" ? [] : ["VMCI", "FileIntrospection"]
    snapshot = var.snapshot
    patience = var.busy
  }
  step "reboot" "reboot" {
    title  = "reboot the guest, if the change needs it"
    when   = var.reboot && include.tools.pending_reboot
    impact = "the guest is away for minutes"
  }
  probe "vmware_tools" "after" {}
  check "the driver runs" {
    condition     = probe.after.file_introspection && (probe.after.vsepflt_running || probe.after.pending_reboot)
    error_message = "VMware Tools was changed, and vsepflt does not run. Its log is in the guest, in the folder dsplay of Windows."
  }
}

locals {
  rebooting = sort([for g in play.add.hosts : "${g.name} (${g.probe.after.reboot_hint})" if g.probe.after.pending_reboot])
}

check "reboots" {
  severity      = "warning"
  condition     = length(local.rebooting) == 0
  error_message = "They wait for a reboot, and are perhaps not protected until then: ${join(", ", local.rebooting)}. Reboot them; with --var reboot=true the next ones are rebooted in their wave."
}
