mock "step" "login" {
  result = { token = "t", tags = { a = "b" }, disks = [] }
}

test "all run" {
  expect {
    acts = flatten([for vm in ["vm1", "vm2"] : ["ports[web] on vc1 for ${vm}", "mixed[a] on ${vm}", "mixed[b] on ${vm}", "guarded[a] on ${vm}", "guarded[b] on ${vm}"]])
  }
}

test "one is stopped" {
  state = { stopped = ["vm1-a"] }
  mock "probe" "service" {
    result = { exists = true, running = !contains(state.stopped, "${self.name}-${args.name}") }
  }
  expect {
    acts       = ["objects[a] on vm1", "mixed[a] on vm1", "mixed[b] on vm1", "guarded[b] on vm1", "start[a] on vm1", "start[b] on vm1"]
    hosts      = { vm1 = "failed", vm2 = "aborted" }
    stopped_by = "p"
  }
}
