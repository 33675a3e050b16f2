# What esxi-ssh.hcl does, there and back. "dsplay test" runs it; docs/testing.md explains it.

inventory {
  host "vc1" {}
  group "esxi" {
    vcenter = "vc1"
  }
  hosts = { for e in range(1, 4) : "esx${e}" => { groups = ["esxi"] } }
}

state = {
  running  = ["esx1"] # ESXi hosts whose SSH runs
  meant    = ["esx1"] # … and is meant to: its policy is on
  lockdown = []
  strange  = [] # that vCenter does not know
}

mock "probe" "esxi_service" {
  result = {
    found    = !contains(state.strange, self.name)
    message  = contains(state.strange, self.name) ? "vCenter has no ESXi host with name ${self.name}" : ""
    exists   = !contains(state.strange, self.name)
    running  = contains(state.running, self.name)
    policy   = contains(state.meant, self.name) ? "on" : "off"
    services = {}
  }
}

mock "probe" "esxi_lockdown" {
  result = {
    found            = true
    mode             = contains(state.lockdown, self.name) ? "lockdownNormal" : "lockdownDisabled"
    exceptions       = []
    exceptions_known = contains(state.lockdown, self.name)
    refused          = contains(state.lockdown, self.name)
    message          = contains(state.lockdown, self.name) ? "${self.name} is in lockdown mode" : ""
  }
}

mock "step" "esxi_service" {
  set = { running = args.state == "started" ? concat(state.running, [self.name]) : [for e in state.running : e if e != self.name] }
}

test "on, where it is off; the way back is told" {
  variables = { on = ["esx1", "esx2"] }
  expect {
    acts     = ["on/step.ssh on vc1 for esx2"]
    plan     = { "on/step.ssh on vc1 for esx2" = "will_run" }
    warnings = ["how to put it back"]
    says     = ["SSH is off on esx2", "'back=[\"esx2\"]'"]
  }
}

test "on, where it runs already" {
  variables = { on = ["esx1"] }
  expect {}
}

test "back, where this playbook has turned it on" {
  variables = { back = ["esx2"] }
  state     = { running = ["esx1", "esx2"] }
  expect {
    acts = ["back/step.ssh on vc1 for esx2"]
    plan = { "back/step.ssh on vc1 for esx2" = "will_run" }
  }
}

test "back never stops what is meant to run" {
  variables = { back = ["esx1", "esx2"] }
  state     = { running = ["esx1", "esx2"] }
  expect {
    acts     = ["back/step.ssh on vc1 for esx2"]
    warnings = ["meant to run"]
    says     = ["meant to: esx1"]
  }
}

test "back, and it is off again already" {
  variables = { back = ["esx2"] }
  expect {}
}

test "lockdown: turning it on would help nobody" {
  variables = { on = ["esx2", "esx3"] }
  state     = { lockdown = ["esx2"] }
  expect {
    acts     = ["on/step.ssh on vc1 for esx3"]
    warnings = ["lockdown", "how to put it back"]
    says     = ["esx2 is in lockdown mode", "'back=[\"esx3\"]'"]
  }
}

test "somebody else was faster" {
  variables = { on = ["esx2"] }
  mock "step" "esxi_service" {
    status = "unchanged"
  }
  expect {
    warnings = ["how to put it back", "turned on here"]
    says     = ["Somebody else was faster on esx2"]
  }
}

test "a host that vCenter does not know" {
  variables = { on = ["esx2", "esx3"] }
  state     = { strange = ["esx3"] }
  expect {
    stopped_by = "known"
    says       = ["esx3 (vCenter has no ESXi host with name esx3)"]
  }
}

test "a vCenter that does not answer" {
  variables   = { on = ["esx2"] }
  unreachable = ["vc1"]
  expect {
    stopped_by = "look"
    hosts      = { esx2 = "failed", vc1 = "unreachable" }
  }
}

test "neither on nor back" {
  expect {
    stopped_by = "one direction"
  }
}

test "both at once" {
  variables = { on = ["esx2"], back = ["esx3"] }
  expect {
    stopped_by = "one direction"
  }
}
