play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = step.one.changed # ERROR: step.one belongs to the attempt "one" (line 12)
    }
    attempt "one" {
      when = probe.now.running # ERROR: The condition of an attempt is judged before the goal is looked at.
      step "service" "one" {
        when  = probe.now.exists
        name  = "x"
        state = "started"
      }
    }
    attempt "two" {
      when = step.one.changed # ERROR: step.one belongs to the attempt "one"
      step "service" "two" {
        when  = step.one.changed # ERROR: belongs to the attempt "one"
        name  = "x"
        state = "started"
      }
    }
  }
  check "c" {
    condition     = step.two.changed # ERROR: belongs to the attempt "two" (line 20), which may not run. It can be read in that attempt, and in later plays: play.p.hosts[*].step.two.
    error_message = "${probe.now.pid}"
  }
}
