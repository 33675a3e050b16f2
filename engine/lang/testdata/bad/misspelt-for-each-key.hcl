play "p" {
  hosts = group.guests
  probe "service" "e" {
    for_each = ["a", "b"]
    name     = each.key
  }
  step "reboot" "last" {
    when = probe.e["a"].runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
  }
}
locals {
  a = [for h in play.p.hosts : h.probe.e.running]      # ERROR: Write h.probe.e["key"].running, or [for key, x in h.probe.e : x.running].
  # WARNING: Say how many may be missing with max_failures
  b = play.p.hosts[*].probe.e.running                  # ERROR: each of its values has "running"
  c = [for h in play.p.hosts : h.probe.e["a"].running] # a key
  d = [for h in play.p.hosts : h.probe.e.a.running]    # a key, too
  e = [for h in play.p.hosts : h.probe.e["running"]]   # and even this may be one
}
