# What is not known yet is planned for both cases; what it leaves is unknown, whatever it would leave now. That it cannot
# be planned does not end the planning of what comes after it.
play "p" {
  hosts = group.guests
  step "service" "first" {
    name = "x"
  }
  probe "service" "then" {
    name = "x"
  }
  block "maybe" {
    when = step.first.changed
    check "never" {
      condition     = self.rack == 1
      error_message = "${self.name} has no rack"
    }
    rescue {
      step "esxi_mux" "rescue" {
        on = self.esxi
      }
    }
  }
  check "known" {
    when          = probe.then.pid != null
    condition     = self.rack == 1
    error_message = "${self.name} has no rack"
  }
  step "service" "elsewhere" {
    when = probe.then.running
    on   = self.dsm
    name = "y"
    note = probe.then.pid == null ? "no pid" : "pid ${probe.then.pid}"
  }
  include "parts/nested/wait.hcl" "part" {
    when = probe.then.running
    pid  = 1
  }
  step "reboot" "reboot" {
    when = block.maybe.status == "skipped" || include.part.enough == null || step.elsewhere.status == "unchanged"
  }
}
