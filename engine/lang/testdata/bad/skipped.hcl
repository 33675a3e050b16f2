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
play "around" {
  hosts = group.guests
  block "b" {
    when = self.rack == 1
    probe "service" "in" {
      name = "x"
    }
    step "service" "beside" {
      when  = probe.in.running # the same block
      name  = "x"
      state = "started"
    }
    block "c" {
      when = self.esxi == "esx1"
      probe "service" "deep" {
        name = "x"
      }
    }
  }
  check "after" {
    condition     = probe.in.running # WARNING: probe.in is skipped where the condition around it does not hold (line
    error_message = "${probe.deep.pid}" # WARNING: probe.deep is skipped where the condition around it does not hold (line
  }
  check "asked" {
    when          = self.rack == 1
    condition     = probe.in.running
    error_message = "${probe.deep.pid}" # WARNING: probe.deep is skipped
  }
  recover "maybe" {
    when = probe.in.status == "ok"
    goal {
      probe "service" "goal" {
        name = "x"
      }
      condition = probe.goal.running
    }
    attempt "x" {
      step "reboot" "y" {}
    }
  }
  check "goal" {
    condition     = probe.goal.running # WARNING: probe.goal is skipped
    error_message = "x"
  }
}
