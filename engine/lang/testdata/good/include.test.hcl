state = { down = ["vm1"] }
mock "probe" "service" {
  result = { exists = true, running = !contains(state.down, self.name) }
}

test "what the second is given waits for what the first would do, so there is nothing to apply" {
  expect {
    acts       = []
    stopped_by = "p/include.two/step.act"
    says       = ["it waits for p/probe.now"]
  }
}

test "the first has nothing to do, so the second is known" {
  mock "step" "service" "p/include.one/step.act" {
    status = "unchanged"
  }
  mock "step" "service" "p/include.two/step.act" {
    set = { down = [] }
  }
  expect {
    acts = ["p/include.two/step.act on vm1", "p/include.two/b/step.r on vm1"]
  }
}
