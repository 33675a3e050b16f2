playbook {
  description = "Remove the snapshots that dsplay took before it changed VMware Tools"
  impact      = "The disks of each snapshot are merged: storage is busy meanwhile, and a guest with much I/O may pause for moments."
  backout     = "None: what is removed cannot be gone back to. Guests stay as they are."
}

variable "snapshot" {
  type        = string
  default     = "before dsplay changed VMware Tools"
  description = "name of the snapshots; one of this name that somebody else took is left alone"
}

play "snapshots" {
  hosts        = group.guests
  max_failures = "5%"
  probe "vm_snapshot" "now" {
    on       = self.vcenter
    uuid     = self.uuid
    snapshot = var.snapshot
  }
}

locals {
  ours    = [for g in play.snapshots.hosts : g.name if g.probe.now.ours && g.probe.now.exists]
  foreign = [for g in play.snapshots.hosts : g.name if !g.probe.now.ours && g.probe.now.exists]
}

check "not ours" {
  severity      = "warning"
  condition     = length(local.foreign) == 0
  error_message = "Somebody else took a snapshot of this name; left alone: ${join(", ", local.foreign)}"
}

play "remove" {
  hosts        = local.ours
  batch        = 5
  max_failures = 1
  step "vm_snapshot" "remove" {
    title    = "remove the snapshot that dsplay took"
    on       = self.vcenter
    uuid     = self.uuid
    snapshot = var.snapshot
    state    = "absent"
  }
}
