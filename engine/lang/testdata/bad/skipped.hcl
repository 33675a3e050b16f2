play "p" {
  hosts = group.guests
  probe "service" "first" {
    name = "x"
  }
  probe "service" "maybe" {
    when = probe.first.exists
    name = "x"
  }
  step "service" "a" {
    when  = !probe.maybe.running # WARNING: probe.maybe is skipped where its condition does not hold (line 7)
    name  = "x"
    state = "started"
    note  = "${probe.maybe.pid}" # WARNING: probe.maybe.pid is null then.
  }
  step "service" "asked" {
    when  = probe.maybe.status == "ok" && !probe.maybe.running
    name  = "x"
    state = "started"
    note  = "${probe.maybe.pid}"
  }
  step "service" "same" {
    when  = probe.first.exists && !probe.maybe.running
    name  = "x"
    state = "started"
    note  = step.asked.changed ? "${probe.maybe.pid}" : "none"
  }
  check "tried" {
    condition     = try(probe.maybe.running, false) || step.same.status == "ok"
    error_message = "${step.same.pid}" # WARNING: step.same is skipped
  }
  recover "r" {
    when = probe.maybe.status == "ok"
    goal {
      condition = probe.maybe.running
    }
    attempt "x" {
      when = !probe.maybe.running
      step "service" "y" {
        name  = step.same.pid # WARNING: step.same is skipped
        state = probe.maybe.running ? "started" : "stoped"
      }
    }
    attempt "z" {
      step "service" "z" {
        name = local.nothing # ERROR: No local "nothing"
      }
    }
  }
}
