play "p" {
  hosts = group.guests
  probe "service" "before" {
    name = "x"
  }
  recover "r" {
    when = probe.now.running # ERROR: It comes later: probe.now stands at line 10.
    goal {
      condition = probe.now.running && probe.before.running && step.try.changed # ERROR: belongs to the attempt
      probe "service" "now" {
        name = probe.after.status # ERROR: It comes later
      }
      within = "${probe.before.pid}m"
      every  = probe.before.pd # ERROR: Did you mean "pid"?
    }
    attempt "a" {
      when = probe.before.runing # ERROR: Did you mean "running"?
      step "service" "try" {
        name  = "x"
        state = "started"
      }
      check "c" {
        condition     = step.try.changd # ERROR: Did you mean "changed"?
        error_message = "x"
      }
    }
  }
  probe "service" "after" {
    name = "x"
  }
}
