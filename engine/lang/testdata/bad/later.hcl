locals {
  a = local.b       # ERROR: It comes later: local.b stands at line 3. Values flow only backwards.
  b = play.p.hosts  # ERROR: It comes later: play.p stands at line 5
}
play "p" {
  hosts = play.p.hosts # ERROR: It comes later: play.p stands at line 5
  probe "service" "a" {
    when = step.b.changed # ERROR: It comes later: step.b stands at line 11. Values flow only backwards.
    name = probe.a.pid    # ERROR: An entry cannot read its own result
  }
  step "service" "b" {
    name = "x"
  }
}
