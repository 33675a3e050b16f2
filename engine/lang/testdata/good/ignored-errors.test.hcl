test "nothing fails" {
  expect {
    acts = ["start on vm1", "start on vm2"]
    plan = {
      "start on vm1" = "will_run", "reboot on vm1" = "depends", "blind on vm1" = "skipped"
      "start on vm2" = "will_run", "reboot on vm2" = "depends", "blind on vm2" = "skipped"
    }
  }
}

test "the step fails" {
  mock "step" "service" {
    error = self.name == "vm1" ? { kind = "exit", text = "code 1" } : null
  }
  expect {
    acts     = ["start on vm1", "reboot on vm1", "start on vm2"]
    warnings = ["they count as ok"]
    says     = ["failed: vm1", "code 1"]
  }
}

test "the probe fails" {
  mock "probe" "service" {
    error = "no idea"
  }
  expect {
    acts = ["start on vm1", "blind on vm1", "start on vm2", "blind on vm2"]
  }
}

test "a host that does not answer" {
  unreachable = ["vm2"]
  expect {
    acts  = ["start on vm1"]
    hosts = { vm2 = "unreachable" }
  }
}
