test "it cannot be planned, so nothing is done, not even on the other host" {
  expect {
    acts       = []
    plan       = { "a on vm1" = "error", "b on vm2" = "will_run", "a on vm2" = "skipped" }
    hosts      = { vm1 = "failed" }
    stopped_by = "p/step.a"
    says       = ["it waits for run.id"]
  }
}
