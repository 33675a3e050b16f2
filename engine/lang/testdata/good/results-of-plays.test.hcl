mock "probe" "login" {
  result = { token = "t", tags = { a = self.name }, disks = [{ path = "/", free = 5 }, { path = "/var", free = self.name == "vm1" ? 1 : 2 }] }
}
mock "step" "service" {
  status = "unchanged"
}

test "both answer" {
  expect {}
}

test "one does not" {
  unreachable = ["vm1"]
  expect {
    hosts = { vm1 = "unreachable" }
  }
}

test "what has to be done decides for whom, so it cannot be planned" {
  mock "step" "service" {}
  expect {
    stopped_by = "two"
    plan       = { "s on vm1" = "will_run", "s on vm2" = "will_run" }
    says       = ["they wait for one/step.s"]
  }
}
