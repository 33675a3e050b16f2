inventory {
  host "vc1" {}
  group "guests" {
    vcenter = "vc1"
  }
  hosts = { for i in range(1, 4) : "win${i}" => { groups = ["guests"], uuid = "win${i}" } }
}

state = {
  ours   = []
  theirs = []
}

mock "probe" "vm_snapshot" {
  result = {
    found   = true
    message = ""
    exists  = contains(concat(state.ours, state.theirs), self.name)
    ours    = contains(state.ours, self.name)
    created = ""
    all     = []
  }
}

mock "step" "vm_snapshot" {
  set = { ours = [for g in state.ours : g if g != self.name] }
}

test "there are none" {
  expect {}
}

test "exactly ours are removed" {
  state = { ours = ["win1", "win3"], theirs = ["win2"] }
  expect {
    acts     = ["remove on vc1 for win1", "remove on vc1 for win3"]
    warnings = ["not ours"]
    says     = ["left alone: win2"]
  }
}
