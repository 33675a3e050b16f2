# Cause "tag missing": a guest without the operator's tag is not in the group that NSX protects. This part looks, gives it the
# tag when it is absent, and waits until the group has taken it in. Other tags are left alone.
#
# Who is to have the tag only the operator knows: to DSM a guest that has lost it looks like one that was never protected.
#
#   include "parts/membership-tag.hcl" "tag" {
#     when  = self.nsx_tag != null        # the inventory says so
#     nsx   = self.nsx
#     uuid  = self.uuid
#     tag   = self.nsx_tag.name
#     scope = self.nsx_tag.scope
#     group = self.nsx_tag.group
#   }

input "nsx" {
  type        = string
  description = "the NSX manager, by its name in the inventory"
}

input "uuid" {
  type        = string
  description = "instance UUID of the guest: config.instanceUuid in vCenter"
}

input "tag" {
  type        = string
  description = "name of the operator's tag; never one of ANTI_VIRUS or IDS_IPS"
}

input "scope" {
  type        = string
  default     = ""
  description = "scope of the tag; NSX-V has none"
}

input "group" {
  type        = string
  default     = ""
  description = "group that is made of the tag; empty: nothing waits for it"
}

input "within" {
  type        = string
  default     = "5m"
  description = "how long to wait for the group: it follows in seconds to minutes"
}

probe "nsx_tag" "before" {
  on    = input.nsx
  uuid  = input.uuid
  tag   = input.tag
  scope = input.scope
  group = input.group
}

step "nsx_tag" "tag" {
  title  = "give the guest the tag that makes it protected"
  when   = probe.before.found && !probe.before.tagged
  on     = input.nsx
  uuid   = input.uuid
  tag    = input.tag
  scope  = input.scope
  group  = input.group
  within = input.within
}

output "missing" {
  value       = probe.before.found && !probe.before.tagged
  description = "whether the tag was absent"
}

output "message" {
  value       = probe.before.message
  description = "why the guest was not found, or why its tag does not help"
}
