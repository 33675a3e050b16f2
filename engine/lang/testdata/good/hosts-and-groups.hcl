variable "attribute" {
  default = "esxi"
}
locals {
  dsm      = host["dsm1"].address
  vc       = host.vc1.name
  sizes    = { for name in ["guests", "esxi"] : name => length(group[name]) }
  groups   = keys(group)
  all      = [for name, h in host : name if h.vcenter != null]
}
play "p" {
  hosts = local.all
  probe "service" "a" {
    on   = host[self.vcenter].name
    name = "x"
  }
  probe "service" "b" {
    name = coalesce(self[var.attribute], "none")
  }
  check "c" {
    condition     = local.dsm != local.vc && local.sizes["guests"] > 0 && contains(local.groups, "esxi")
    error_message = jsonencode(self)
  }
}
