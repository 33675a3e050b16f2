playbook {
  description = "Bring the agents of the appliances back: start, else restart, else reboot"
}

play "agents" {
  hosts = group.dsva
  recover "agent" {
    goal {
      probe "service" "now" {
        name = "ds_agent"
      }
      condition = probe.now.running
      within    = "1m"
      every     = "5s"
    }
    attempt "start it" {
      step "service" "start" {
        name  = "ds_agent"
        state = "started"
        sudo {}
      }
    }
    attempt "restart it" {
      step "service" "restart" {
        name  = "ds_agent"
        state = "restarted"
        sudo {}
      }
    }
    attempt "reboot the appliance" {
      step "reboot" "reboot" {
        sudo {}
      }
    }
  }
}
