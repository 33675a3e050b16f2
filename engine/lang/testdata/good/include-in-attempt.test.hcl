state = { down = ["vm2"] }
mock "probe" "service" {
  result = { exists = true, running = !contains(state.down, self.name) }
}

test "the part heals" {
  mock "step" "service" {
    set = { down = [] }
  }
  expect {
    acts = ["act on vm2", "r on vm2"]
    plan = { "act on vm2" = "will_run", "r on vm2" = "depends" }
  }
}

test "the part fails" {
  mock "step" "service" {
    error = "no"
  }
  expect {
    acts  = ["act on vm2"]
    hosts = { vm2 = "failed" }
    says  = ["the goal does not hold"]
  }
}
