test "nothing fails" {
  expect {
    acts = ["stop on vm1", "install on vm1", "start on vm1"]
    plan = {
      "stop on vm1"    = "will_run"
      "install on vm1" = "will_run"
      "repair on vm1"  = "rescue_only"
      "else on vm1"    = "rescue_only"
      "start on vm1"   = "will_run"
      "after on vm1"   = "depends"
    }
  }
}

test "a step fails" {
  mock "step" "vmware_tools" "install" {
    error = { kind = "exit", text = "code 5" }
  }
  expect {
    acts = ["stop on vm1", "install on vm1", "else on vm1", "start on vm1", "after on vm1"]
  }
}

test "a check fails" {
  mock "step" "vmware_tools" "install" {
    result = { installed = false, file_introspection = false }
  }
  expect {
    acts = ["stop on vm1", "install on vm1", "repair on vm1", "start on vm1"]
  }
}

test "nothing in the rescue applies" {
  mock "step" "vmware_tools" {
    error = { kind = "check", text = "it is still not there" }
  }
  expect {
    acts  = ["stop on vm1", "install on vm1", "start on vm1", "after on vm1"]
  }
}

test "the first step fails, and the rescue" {
  mock "step" "service" "stop" {
    error = "stuck"
  }
  mock "step" "esxi_mux" {
    error = "no Mux here"
  }
  expect {
    acts  = ["stop on vm1", "else on vm1", "start on vm1"]
    hosts = { vm1 = "failed" }
    says  = ["no Mux here"]
  }
}

test "the host does not answer" {
  unreachable = ["vm1"]
  expect {
    hosts = { vm1 = "unreachable" }
  }
}

test "the host falls silent" {
  state       = { dead = [] }
  unreachable = state.dead
  mock "step" "service" "stop" {
    set = { dead = ["vm1"] }
  }
  expect {
    acts  = ["stop on vm1"]
    hosts = { vm1 = "unreachable" }
  }
}
