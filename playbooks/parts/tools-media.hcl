# Adds features to VMware Tools of a Windows guest, or repairs it, from the image that the vCenter has: puts the image into the
# drive, changes VMware Tools, and takes the image out again whatever happened. An image that was in the drive before stays.
# With snapshot = true a snapshot is taken before, of a guest that is really changed; without it nothing is changed.
#
# The block runs for the guest; the image is the vCenter's work.
#
#   include "parts/tools-media.hcl" "tools" {
#     when     = probe.tools.installed && !probe.tools.file_introspection
#     vcenter  = self.vcenter
#     uuid     = self.uuid
#     features = ["VMCI", "FileIntrospection"]
#   }
#   check "what is left to do" {
#     severity      = "warning"
#     condition     = include.tools.outcome != "reboot_pending"
#     error_message = "${self.name} waits for a reboot"
#   }

input "vcenter" {
  type        = string
  description = "the vCenter, by its name in the inventory"
}

input "uuid" {
  type        = string
  description = "instance UUID of the guest: config.instanceUuid in vCenter"
}

input "features" {
  type        = list(string)
  default     = []
  description = "features to add, as the installer names them; empty: VMware Tools are repaired"
}

input "snapshot" {
  type        = bool
  default     = false
  description = "take a snapshot of the guest before; it should be removed within days"
}

input "patience" {
  type        = string
  default     = "2m"
  description = "how long to wait before each further try while another installation runs in the guest"
}

input "wait" {
  type        = string
  default     = "20m"
  description = "how long the installer may take, and the guest may be away meanwhile"
}

probe "vmware_tools" "before" {}

block "change" {
  when = length(input.features) == 0 || anytrue([for f in input.features : !contains(probe.before.features, f)])
  step "vm_snapshot" "snapshot" {
    title    = "take a snapshot before VMware Tools is changed"
    when     = input.snapshot
    on       = input.vcenter
    uuid     = input.uuid
    snapshot = "before dsplay changed VMware Tools"
    state    = "present"
  }
  step "vm_tools_media" "mount" {
    title   = "put the image of VMware Tools into the drive"
    on      = input.vcenter
    uuid    = input.uuid
    mounted = true
  }
  step "vmware_tools" "change" {
    title     = "change VMware Tools"
    features  = input.features
    repair    = length(input.features) == 0
    installer = "media"
    wait      = input.wait
    timeout   = "30m"
    retry {
      attempts = 6
      delay    = input.patience
      on       = ["busy"]
    }
  }
  finally {
    step "vm_tools_media" "unmount" {
      title   = "take the image out again"
      when    = step.mount.changed
      on      = input.vcenter
      uuid    = input.uuid
      mounted = false
    }
  }
}

output "outcome" {
  value       = step.change.outcome == null ? "" : step.change.outcome
  description = "done, reboot_pending, or rebooted (the installer rebooted the guest); empty when nothing had to be done"
}

output "pending_reboot" {
  value       = step.change.pending_reboot == null ? probe.before.pending_reboot : step.change.pending_reboot
  description = "whether the guest waits for a reboot, for whatever reason"
}
