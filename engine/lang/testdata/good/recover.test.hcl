state = { down = ["vm1"] }
mock "probe" "service" {
  result = { exists = true, running = !contains(state.down, self.name), pid = contains(state.down, self.name) ? null : 7 }
}

test "a restart helps" {
  mock "step" "service" "restart" {
    set   = { down = [] }
    after = "3m"
  }
  expect {
    acts = ["restart on vm1"]
    plan = { "restart on vm1" = "will_run", "reboot on vm1" = "attempt" }
  }
}

test "a reboot helps" {
  mock "step" "reboot" {
    set   = { down = [] }
    after = "1m"
  }
  expect {
    acts = ["restart on vm1", "reboot on vm1"]
  }
}

test "nothing helps" {
  expect {
    acts       = ["restart on vm1", "reboot on vm1"]
    hosts      = { vm1 = "failed", vm2 = "aborted" }
    stopped_by = "p"
  }
}
