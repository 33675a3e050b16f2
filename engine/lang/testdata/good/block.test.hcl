state = { down = [] }
mock "probe" "service" {
  result = { exists = true, running = !contains(state.down, self.name) }
}

test "all runs" {
  expect {}
}

test "it is started" {
  state = { down = ["vm1"] }
  mock "step" "service" "b" {
    set = { down = setsubtract(state.down, [self.name]) }
  }
  expect {
    acts = ["b on vm1"]
  }
}

test "it cannot be started, and the rescue refuses" {
  state = { down = ["vm1"] }
  mock "step" "service" "b" {
    error = { kind = "exit", text = "code 3" }
  }
  expect {
    acts  = ["b on vm1"]
    hosts = { vm1 = "failed" }
    says  = ["vm1: code 3"]
  }
}
