state = { stopped = ["vm1", "vm2"] }

mock "probe" "service" {
  result = { exists = true, running = !contains(state.stopped, self.name) }
}
mock "step" "service" {
  set = { stopped = setsubtract(state.stopped, [self.name]) }
}

test "all answer" {
  expect {
    acts = ["start on vm1", "start on vm2"]
  }
}

test "one does not answer" {
  unreachable = ["vm1"]
  expect {
    acts     = ["start on vm2"]
    hosts    = { vm1 = "unreachable" }
    warnings = ["seen"]
    says     = ["vm1 unreachable"]
  }
}

test "one is refused" {
  mock "probe" "service" {
    result = { exists = self.name != "vm2", running = false }
  }
  expect {
    acts     = ["start on vm1"]
    hosts    = { vm2 = "failed" }
    warnings = ["seen"]
    says     = ["vm2 failed", "failed_when holds"]
  }
}

test "vCenter does not answer" {
  unreachable = ["vc1"]
  expect {
    hosts      = { vm1 = "failed", vm2 = "failed", vc1 = "unreachable" }
    warnings   = ["seen"]
    stopped_by = "enough"
    says       = ["only 0 of 2"]
  }
}
