variable "name" {
  default = "agent"
}
play "p" {
  hosts        = group.guests
  max_failures = 0
  tags         = ["x"]
  include "parts/restart.hcl" "one" {
    title    = "The agent"
    tags     = ["y"]
    when     = self.rack == null
    service  = var.name
    how      = { note = self.name }
    anything = { a = 1 }
  }
  probe "service" "now" {
    name = "private names do not clash"
  }
  include "./parts/restart.hcl" "two" {
    service = "other-${probe.now.running}"
  }
  step "reboot" "r" {
    when = include.two.changed && include.two.names[0] == "x" && include.one.any != null && include.one.any.a == 1
  }
  recover "all" {
    goal {
      probe "service" "goal" {
        name = "x"
      }
      condition = probe.goal.running
    }
    attempt "restart" {
      include "parts/nested/wait.hcl" "within" {
        pid = 1
      }
    }
  }
}
