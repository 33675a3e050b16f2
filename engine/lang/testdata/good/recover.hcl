variable "patience" {
  default = 5
}
play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "service" "before" {
    name = "x"
  }
  recover "service" {
    when   = probe.before.exists
    title  = "Bring the service back"
    impact = "nobody can log in meanwhile"
    goal {
      probe "service" "now" {
        name = "x"
        retry {
          attempts = 2
          until    = result.exists
        }
      }
      probe "vm" "vm" {
        on   = self.vcenter
        uuid = self.uuid
        timeout = "10s"
      }
      condition     = probe.now.running && probe.vm.awake
      error_message = "${self.name} is not back, its process is ${probe.now.pid == null ? "gone" : "there"}"
      within        = "${var.patience}m"
      every         = "5s"
    }
    attempt "restart" {
      when = !probe.before.running || probe.before.pid == null
      probe "service" "look" {
        name = "x"
      }
      step "service" "restart" {
        when  = probe.look.exists && probe.now.exists
        name  = "x"
        state = "restarted"
      }
      check "restarted" {
        condition     = step.restart.status != "failed"
        error_message = "not restarted"
      }
    }
    attempt "reboot" {
      step "reboot" "reboot" {}
    }
  }
  check "goal probes can be read afterwards" {
    when          = probe.before.exists
    condition     = probe.now.running
    error_message = "x"
  }
}
locals {
  restarted = [for h in play.p.hosts : h.name if h.step.restart.changed]
  rebooted  = [for h in play.p.hosts : h.name if h.step.reboot.status == "changed" && h.probe.now.running]
}
check "few" {
  condition     = length(local.restarted) + length(local.rebooted) < 100
  error_message = "many"
}
