variable "settings" {
  type    = any
  default = { a = { b = [1, 2] } }
}
play "p" {
  hosts        = group.guests
  max_failures = 0
  step "login" "l" {
    user = "x"
    any  = { deep = [self.name] }
    rule "r" {
      port = tonumber(var.settings.a.b[0])
    }
  }
}
locals {
  tags  = [for h in play.p.hosts : h.step.l.tags["x"]]
  disks = { for h in play.p.hosts : h.name => [for d in h.step.l.disks : d.path if d.free < 10] }
  ports = [for k, v in jsondecode("{\"a\": 1, \"b\": \"x\"}") : v]
  mixed = [for x in [1, "a"] : x]
}
check "c" {
  condition     = length(local.tags) + length(local.disks) + length(local.ports) + length(local.mixed) > 0
  error_message = "x"
}
