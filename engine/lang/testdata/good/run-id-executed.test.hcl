test "it cannot be planned" {
  expect {
    acts  = ["b on vm2"]
    plan  = { "a on vm1" = "error", "b on vm2" = "will_run", "a on vm2" = "skipped" }
    hosts = { vm1 = "out_of_plan" }
    says  = ["it waits for run.id"]
  }
}
