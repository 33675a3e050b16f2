play "one" {
  hosts        = group.guests
  max_failures = 1
  probe "login" "l" {
    user = "x"
  }
  step "service" "s" {
    name  = "x"
    state = "restarted"
  }
}
locals {
  names    = play.one.hosts[*].name
  splat    = play.one.hosts[*].probe.l.disks
  flat     = flatten(local.splat)
  free     = sum([for d in local.flat : d.free])
  by_name  = { for h in play.one.hosts : h.name => h }
  first    = contains(local.names, "vm1") ? local.by_name["vm1"].probe.l.tags : tomap({})
  tag      = lookup(local.first, "a", "none")
  changed  = [for h in play.one.hosts : h.address if h.step.s.changed || h.step.s.status == "ran"]
  racks    = { for h in play.one.hosts : coalesce(h.esxi, "none") => h.rack... if h.rack != null }
  nested   = { for e, r in local.racks : e => { count = length(r), max = max(0, r...) } }
  highest  = [for e, n in local.nested : n.max if n.count > 0]
  pairs    = zipmap(local.names, [for h in play.one.hosts : length(h.probe.l.disks)])
  sorted   = sort(distinct(concat(local.names, [for m in play.one.missing : m.name])))
  errors   = { for m in play.one.missing : m.name => m.error }
  statuses = merge({ for h in play.one.hosts : h.name => h.status }, { for m in play.one.missing : m.name => m.status })
  text     = "%{for n in local.names}${n} %{endfor}%{if length(local.names) > 1}many%{else}few%{endif}"
  whole    = jsonencode([for h in play.one.hosts : h])
}
check "some" {
  condition     = length(local.names) >= 0 && local.free >= 0 && local.tag != "" && length(local.highest) >= 0
  error_message = "${local.text} ${local.whole} ${jsonencode(local.statuses)} ${length(local.pairs)} ${join(",", local.sorted)}"
}
play "two" {
  hosts = [for n in local.names : n if !contains(keys(local.errors), n) && length(local.changed) > 0]
}
