test "everything happens" {
  expect {
    acts = [
      "first on vm1", "rescue on esx1 for vm1", "elsewhere on dsm1 for vm1",
      "first on vm2", "rescue on esx2 for vm2", "elsewhere on dsm1 for vm2",
    ]
    plan = merge([for i in ["1", "2"] : {
      "first on vm${i}"                = "will_run"
      "rescue on esx${i} for vm${i}"   = "depends" # what it rescues is known to fail
      "elsewhere on dsm1 for vm${i}"   = "depends"
      "reboot on vm${i}"               = "depends"
    }]...)
  }
}

test "nothing of it is needed" {
  mock "probe" "service" {
    result = { exists = true, running = false }
  }
  mock "step" "service" "first" {
    status = timecmp(now, "2024-01-01T09:00:00Z") > 0 ? "unchanged" : "changed"
  }
  expect {
    acts = ["first on vm1", "rescue on esx1 for vm1", "reboot on vm1", "first on vm2", "rescue on esx2 for vm2", "reboot on vm2"]
  }
}

test "who may be needed does not answer, and is needed" {
  unreachable = ["dsm1"]
  expect {
    acts  = ["first on vm1", "rescue on esx1 for vm1", "first on vm2", "rescue on esx2 for vm2"]
    hosts = { vm1 = "failed", vm2 = "failed", dsm1 = "unreachable" }
  }
}

test "who may be needed does not answer, and is not needed" {
  unreachable = ["dsm1"]
  mock "probe" "service" {
    result = { exists = true, running = false }
  }
  expect {
    acts  = ["first on vm1", "rescue on esx1 for vm1", "reboot on vm1", "first on vm2", "rescue on esx2 for vm2", "reboot on vm2"]
  }
}

test "a check fails in its place" {
  mock "probe" "service" {
    result = { exists = true, running = true, pid = 7 }
  }
  expect {
    acts  = ["first on vm1", "rescue on esx1 for vm1", "first on vm2", "rescue on esx2 for vm2"]
    hosts = { vm1 = "failed", vm2 = "failed" }
    says  = ["vm1 has no rack"]
  }
}
