test "as it is" {
  expect {
    acts       = ["start on vm1"]
    hosts      = { vm2 = "failed" }
    warnings   = ["a warning on vm1", "a warning on vm2", "a warning of the run"]
    stopped_by = "an error of the run"
    says       = ["vm2 is on esx2", "missing: vm2"]
  }
}
