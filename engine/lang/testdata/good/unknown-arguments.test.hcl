test "a name is not known in the plan, so there is nothing to apply" {
  expect {
    acts       = []
    hosts      = { vm1 = "failed", vm2 = "failed" }
    stopped_by = "named/step.named"
    says       = ["it waits for named/step.first"]
  }
}

test "it is known when the step before it has nothing to do" {
  mock "step" "service" "named/step.first" {
    status = "unchanged"
  }
  expect {
    acts = ["noted/step.first on vm1", "noted on vm1", "noted/step.first on vm2", "noted on vm2", "named on vm1", "named on vm2"]
  }
}
