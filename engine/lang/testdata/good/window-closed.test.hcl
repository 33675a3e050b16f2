test "on a Monday at nine" {
  expect {
    acts  = ["reboot on vm1", "reboot on vm2"]
    hosts = { vm1 = "not_attempted", vm2 = "not_attempted" }
  }
}
