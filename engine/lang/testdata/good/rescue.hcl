# Rescue runs when something in the block failed, which is then forgiven; finally runs in any case.
play "p" {
  hosts = ["vm1"]
  block "change" {
    step "service" "stop" {
      name  = "x"
      state = "stopped"
    }
    step "vmware_tools" "install" {
      features = ["a"]
    }
    check "installed" {
      condition     = step.install.installed
      error_message = "it is not there"
    }
    rescue {
      step "vmware_tools" "repair" {
        when   = block.change.error.kind == "check" && step.install.changed
        repair = true
      }
      step "esxi_mux" "else" {
        when = block.change.error.kind != "check"
      }
    }
    finally {
      step "service" "start" {
        name  = "x"
        state = "started"
      }
    }
  }
  step "reboot" "after" {
    when = block.change.failed && step.repair.status == "skipped"
  }
}
