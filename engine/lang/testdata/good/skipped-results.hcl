# What stands inside of something that was skipped, or was not needed, is skipped: its results are null.
play "p" {
  hosts        = group.guests
  max_failures = 0
  block "skipped" {
    when = self.rack != null
    probe "service" "inner" {
      name = "x"
    }
    step "service" "within" {
      name = "x"
    }
  }
  recover "fine" {
    goal {
      probe "service" "goal" {
        name = "x"
      }
      condition = probe.goal.running
    }
    attempt "unneeded" {
      step "service" "attempted" {
        name = "x"
      }
    }
  }
  recover "omitted" {
    when = self.rack != null
    goal {
      probe "service" "other" {
        name = "x"
      }
      condition = probe.other.running
    }
    attempt "a" {
      step "esxi_mux" "mux" {}
    }
  }
  step "reboot" "reboot" {
    when = probe.inner.status == "skipped" && step.within.status == "skipped" && !step.within.changed && block.skipped.status == "skipped"
  }
}
locals {
  skipped = [for h in play.p.hosts : h.name if h.step.attempted.status == "skipped" && h.step.within.status == "skipped" && h.probe.other.status == "skipped" && h.step.mux.status == "skipped"]
}
check "all of them" {
  condition     = length(local.skipped) == 2
  error_message = "skipped: ${jsonencode([for h in play.p.hosts : [h.step.attempted, h.step.within, h.probe.other, h.step.mux]])}"
}
