test "skipped" {
  expect {
    acts = ["reboot on vm1", "reboot on vm2"]
  }
}
