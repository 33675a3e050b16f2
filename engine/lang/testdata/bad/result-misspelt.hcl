play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "ds_computer" "engine" {
    bios_uuid = self.bios_uuid
  }
  step "service" "a" {
    when  = probe.engine.onlien # ERROR: There is no attribute "onlien" here.
    name  = probe.engine.stat   # ERROR: There is no attribute "stat" here. Did you mean "state"?
    state = "started"
  }
  check "c" {
    condition     = probe.engine["agentles"] # ERROR: There is no attribute "agentles" here. Did you mean "agentless"?
    error_message = "${step.a.chnaged}"      # ERROR: Did you mean "changed"?
  }
}
locals {
  a = [for g in play.p.hosts : g if g.probe.engine.agentles]                        # ERROR: Did you mean "agentless"?
  b = { for g in local.a : g.esxi => g.probe.engine.staet... }                      # ERROR: Did you mean "state"?
  c = [for e, l in { for g in play.p.hosts : g.esxi => g... } : [for g in l : g.probe.engine.sate]] # ERROR: Did you mean "state"?
  d = play.p.hosts[*].probe.engine.stte                                             # ERROR: Did you mean "state"?
  e = play.p.hosts[0].probe.engin.state                                             # ERROR: Did you mean "engine"?
  f = { for k, v in { for g in play.p.hosts : g.name => g.probe.engine } : k => v.xx } # ERROR: There is no attribute "xx" here.
  g = [for g in play.p.hosts : g.probe.engine.state == "online" ? g.nmae : g.name]  # ERROR: Did you mean "name"?
  h = flatten([for g in play.p.hosts : [for x in [1, 2] : g]])[0].probe.engine.no   # ERROR: There is no attribute "no" here.
  i = values({ for g in play.p.hosts : g.name => g })[*].step.b                     # ERROR: There is no attribute "b" here.
  j = "%{for g in play.p.hosts}${g.probe.engine.statee}%{endfor}"                   # ERROR: Did you mean "state"?
  k = (true ? play.p.hosts : [])[0].probe.engine.z                                  # ERROR: There is no attribute "z" here.
  l = lookup({ for g in play.p.hosts : g.name => g }, "vm1").probe.y                # ERROR: There is no attribute "y" here.
  m = try(play.p.hosts[0].probe.engine.w, "")                                       # ERROR: There is no attribute "w" here.
}
