test "until never holds" {
  mock "step" "service" {
    result = { exists = true, running = false }
  }
  expect {
    acts = ["a on vm1", "a on vm1", "a on vm2", "a on vm2"]
  }
}

test "it holds at once" {
  expect {
    acts = ["a on vm1", "a on vm2"]
  }
}

test "it fails, and that is ignored" {
  mock "step" "service" {
    error = self.name == "vm1" ? "no" : null
  }
  expect {
    acts = ["a on vm1", "a on vm1", "a on vm2"]
  }
}
