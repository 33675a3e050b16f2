# The goal is looked at once; attempts are made one after the other until it holds. What is older than the last attempt
# does not count.
play "p" {
  hosts        = ["vm1"]
  max_failures = 1
  probe "service" "before" {
    name = "x"
  }
  recover "r" {
    goal {
      probe "ds_computer" "engine" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
      }
      condition = probe.engine.state == "online"
      within    = "3m"
      every     = "1m"
    }
    attempt "only if it is stopped" {
      when = !probe.before.running
      step "service" "start" {
        name  = "x"
        state = "started"
      }
    }
    attempt "restart" {
      step "service" "restart" {
        name  = "x"
        state = "restarted"
      }
    }
    attempt "the Mux" {
      step "esxi_mux" "mux" {
        on = self.esxi
      }
    }
  }
}
play "after" {
  hosts = ["vm1"]
  step "reboot" "reboot" {
    when = anytrue([for h in play.p.hosts : h.step.mux.changed])
  }
}
