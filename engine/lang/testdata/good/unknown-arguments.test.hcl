test "a name is not known in the plan" {
  expect {
    acts = [
      "noted/step.first on vm1", "noted on vm1", "noted/step.first on vm2", "noted on vm2",
      "named/step.first on vm1", "named/step.first on vm2",
    ]
    hosts = { vm1 = "out_of_plan", vm2 = "out_of_plan" }
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
