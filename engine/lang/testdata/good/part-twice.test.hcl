mock "probe" "service" {
  result = { exists = true, running = !contains(["unseen", "far"], args.name) }
}

test "the first has nothing to do" {
  expect {}
}

test "the first starts its service" {
  mock "probe" "service" "p/include.first/probe.now" {
    result = { exists = true, running = false }
  }
  expect {
    acts = ["p/include.first/step.start on vm1", "p/include.first/step.start on vm2"]
    hosts = {}
  }
}

test "the first could not start anything" {
  mock "probe" "service" "p/include.first/probe.now" {
    result = { exists = true, running = false }
  }
  mock "step" "service" "p/include.first/step.start" {
    status = "unchanged"
  }
  expect {
    acts = ["p/include.second/step.start on vm1", "reboot on vm1", "p/include.second/step.start on vm2", "reboot on vm2"]
  }
}
