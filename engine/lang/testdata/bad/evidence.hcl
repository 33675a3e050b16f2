play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
  }
}
locals {
  running = [for h in play.p.hosts : h.name if h.probe.a.running] # WARNING: Silent hosts are not counted: play.p.hosts are the hosts that answered.
  wrong   = local.runing                                          # ERROR: Did you mean "running"?
}
