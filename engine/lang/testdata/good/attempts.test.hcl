state = { remedy = "", running = true, stale = false }

mock "probe" "service" {
  result = { exists = true, running = state.running }
}
mock "probe" "ds_computer" {
  result = { agentless = true, state = state.remedy == "" || state.stale ? "online" : "offline", as_of = state.stale ? "2023-12-31T09:00:00Z" : now }
}
mock "step" "service" {
  set   = { remedy = state.remedy == entry ? "" : state.remedy }
  after = "3m"
}
mock "step" "esxi_mux" {
  set = { remedy = state.remedy == entry ? "" : state.remedy }
}

test "the goal holds" {
  expect {}
}

test "the first that applies heals" {
  state = { remedy = "restart" }
  expect {
    acts = ["restart on vm1"]
    plan = { "restart on vm1" = "will_run", "mux on esx1 for vm1" = "attempt", "start on vm1" = "skipped", "reboot on vm1" = "depends" }
  }
}

test "the second heals" {
  state = { remedy = "mux" }
  expect {
    acts = ["restart on vm1", "mux on esx1 for vm1", "reboot on vm1"]
  }
}

test "the condition of an attempt" {
  state = { remedy = "start", running = false }
  expect {
    acts = ["start on vm1"]
  }
}

test "an attempt that fails counts as tried" {
  state = { remedy = "mux" }
  mock "step" "service" "restart" {
    error = "no"
  }
  expect {
    acts = ["restart on vm1", "mux on esx1 for vm1", "reboot on vm1"]
  }
}

test "an attempt that cannot connect counts as tried" {
  state       = { remedy = "restart" }
  unreachable = ["esx1"]
  mock "step" "service" "restart" {}
  expect {
    acts  = ["restart on vm1"]
    hosts = { vm1 = "failed", esx1 = "unreachable" }
    says  = ["the goal does not hold after"]
  }
}

test "nothing heals" {
  state = { remedy = "prayer" }
  expect {
    acts  = ["restart on vm1", "mux on esx1 for vm1"]
    hosts = { vm1 = "failed" }
    says  = ["the goal does not hold after \"restart\", then \"the Mux\", waited 3m0s each time"]
  }
}

test "what is older than the attempt does not count" {
  state = { remedy = "restart" }
  mock "probe" "ds_computer" {
    result = {
      agentless = true
      state     = timecmp(now, "2024-01-01T09:00:00Z") > 0 ? "online" : "offline"
      as_of     = timecmp(now, "2024-01-01T09:02:00Z") > 0 ? now : "2024-01-01T08:00:00Z"
    }
  }
  expect {
    acts = ["restart on vm1"]
  }
}

test "who is asked does not answer" {
  unreachable = ["dsm1"]
  expect {
    hosts = { vm1 = "failed", dsm1 = "unreachable" }
  }
}
