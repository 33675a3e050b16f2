play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
    }
    attempt "one" {
      probe "service" "look" {
        name = "x"
      }
      step "service" "start" {
        when  = !probe.look.exits # ERROR: Did you mean "exists"?
        name  = "x"
        state = "started"
      }
    }
  }
}
