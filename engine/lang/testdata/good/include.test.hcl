state = { down = ["vm1"] }
mock "probe" "service" {
  result = { exists = true, running = !contains(state.down, self.name) }
}

test "the first starts it" {
  mock "step" "service" "p/include.one/step.act" {
    set = { down = [] }
  }
  expect {
    acts = ["p/include.one/step.act on vm1", "p/include.one/b/step.r on vm1"]
    hosts = {}
  }
}

test "what the second is given waits for what the first does" {
  expect {
    acts       = ["p/include.one/step.act on vm1", "p/include.one/b/step.r on vm1"]
    hosts      = { vm1 = "out_of_plan", vm2 = "aborted" }
    stopped_by = "p"
    says       = ["it waits for p/probe.now"]
  }
}
