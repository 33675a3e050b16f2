# What tools-introspection.hcl does: who is found, in which waves, and what it leaves to people.

inventory {
  host "vc1" {}
  group "guests" {
    vcenter = "vc1"
  }
  hosts = { for i in range(1, 6) : "win${i}" => { groups = ["guests"], uuid = "win${i}" } }
}

state = {
  lacking = []    # guests without FileIntrospection
  broken  = []    # guests that have the feature and not its driver
  bare    = []    # guests without VMware Tools
  busy    = []    # guests with another image in the drive
  off     = []    # guests that are off
  pending = []    # guests that wait for a reboot
  wants   = false # a change of VMware Tools wants a reboot
  fails   = []    # guests whose installer fails
}

mock "probe" "vm" {
  result = {
    found                = true
    name                 = self.name
    bios_uuid            = ""
    power                = contains(state.off, self.name) ? "poweredOff" : "poweredOn"
    awake                = !contains(state.off, self.name)
    message              = ""
    guest_state          = "running"
    tools_running        = true
    tools_status         = "toolsOk"
    tools_version_status = "guestToolsCurrent"
    esxi                 = "esx1"
    connection_state     = "connected"
  }
}

mock "probe" "vmware_tools" {
  result = {
    installed          = !contains(state.bare, self.name)
    version            = "12.1.5"
    file_introspection = !contains(concat(state.bare, state.lacking), self.name)
    features           = contains(concat(state.bare, state.lacking), self.name) ? ["VMCI"] : ["FileIntrospection", "VMCI"]
    drivers            = { vsepflt = contains(concat(state.lacking, state.broken), self.name) ? "missing" : contains(state.pending, self.name) ? "STOPPED" : "RUNNING" }
    driver_start       = {}
    vsepflt_version    = ""
    busy               = ""
    outcome            = ""
    vsepflt_running    = !contains(concat(state.lacking, state.broken, state.pending), self.name)
    pending_reboot     = contains(state.pending, self.name)
    reboot_hint        = contains(state.pending, self.name) ? "files in use" : ""
  }
}

mock "probe" "vm_tools_media" {
  result = {
    found   = true
    name    = self.name
    drive   = true
    mounted = false
    image   = ""
    message = contains(state.busy, self.name) ? "another image is in its CD drive" : ""
  }
}

mock "step" "vm_tools_media" {}

mock "step" "vm_snapshot" {}

mock "step" "vmware_tools" {
  error = contains(state.fails, self.name) ? "the installer ended with 1603" : null
  result = {
    installed          = true
    version            = "12.1.5"
    file_introspection = true
    features           = ["FileIntrospection", "VMCI"]
    drivers            = {}
    driver_start       = {}
    vsepflt_version    = ""
    busy               = ""
    outcome            = state.wants ? "reboot_pending" : "done"
    vsepflt_running    = !state.wants
    pending_reboot     = state.wants
    reboot_hint        = ""
    exit_code          = state.wants ? 3010 : 0
  }
  set = {
    lacking = [for g in state.lacking : g if g != self.name]
    broken  = [for g in state.broken : g if g != self.name]
    pending = state.wants ? concat(state.pending, [self.name]) : state.pending
  }
}

mock "step" "reboot" {
  set = { pending = [for g in state.pending : g if g != self.name] }
}

test "nobody needs it" {
  expect {}
}

test "one at first, then the others" {
  variables = { wave = ["1", "50%"] }
  state     = { lacking = ["win1", "win3", "win4"] }
  expect {
    acts = [
      "mount on vc1 for win1", "change on win1", "unmount on vc1 for win1",
      "mount on vc1 for win3", "change on win3", "unmount on vc1 for win3",
      "mount on vc1 for win4", "change on win4", "unmount on vc1 for win4",
    ]
  }
}

test "the first one fails: the others are left alone" {
  state = { lacking = ["win1", "win3"], fails = ["win1"] }
  expect {
    acts       = ["mount on vc1 for win1", "change on win1", "unmount on vc1 for win1"]
    stopped_by = "add"
    hosts      = { win1 = "failed", win3 = "not_attempted" }
    says       = ["the installer ended with 1603"]
  }
}

test "the feature is there, its driver is not: a repair" {
  state = { broken = ["win2"] }
  mock "step" "vmware_tools" "change" {
    error = args.repair && length(args.features) == 0 ? null : "features where a repair was meant"
    set   = { broken = [] }
  }
  expect {
    acts = ["mount on vc1 for win2", "change on win2", "unmount on vc1 for win2"]
  }
}

test "a snapshot before" {
  variables = { snapshot = true }
  state     = { lacking = ["win1"] }
  expect {
    acts = ["snapshot on vc1 for win1", "mount on vc1 for win1", "change on win1", "unmount on vc1 for win1"]
    plan = {
      "snapshot on vc1 for win1" = "will_run"
      "mount on vc1 for win1"    = "will_run"
      "change on win1"           = "will_run"
      "unmount on vc1 for win1"  = "depends"
    }
  }
}

test "no snapshot, no change" {
  variables = { snapshot = true }
  state     = { lacking = ["win1"] }
  mock "step" "vm_snapshot" {
    error = "the datastore is full"
  }
  expect {
    acts       = ["snapshot on vc1 for win1"]
    stopped_by = "add"
    hosts      = { win1 = "failed" }
    says       = ["the datastore is full"]
  }
}

test "without consent nobody reboots; who needs it is said" {
  state = { lacking = ["win1"], wants = true }
  expect {
    acts     = ["mount on vc1 for win1", "change on win1", "unmount on vc1 for win1"]
    warnings = ["reboots"]
    says     = ["They wait for a reboot, and are perhaps not protected until then: win1 (files in use)"]
  }
}

test "with consent the guest is rebooted in its wave" {
  variables = { reboot = true }
  state     = { lacking = ["win1", "win2"], wants = true }
  expect {
    acts = [
      "mount on vc1 for win1", "change on win1", "unmount on vc1 for win1", "reboot on win1",
      "mount on vc1 for win2", "change on win2", "unmount on vc1 for win2", "reboot on win2",
    ]
    plan = {
      "mount on vc1 for win1"   = "will_run"
      "change on win1"          = "will_run"
      "unmount on vc1 for win1" = "depends"
      "reboot on win1"          = "depends"
      "mount on vc1 for win2"   = "will_run"
      "change on win2"          = "will_run"
      "unmount on vc1 for win2" = "depends"
      "reboot on win2"          = "depends"
    }
  }
}

test "it was changed, and the driver does not run" {
  state = { lacking = ["win1"] }
  mock "step" "vmware_tools" "change" {
    set = { lacking = [], broken = ["win1"] }
  }
  expect {
    acts       = ["mount on vc1 for win1", "change on win1", "unmount on vc1 for win1"]
    stopped_by = "add"
    hosts      = { win1 = "failed" }
    says       = ["VMware Tools was changed, and vsepflt does not run"]
  }
}

test "who is left to people" {
  state       = { lacking = ["win1", "win2"], busy = ["win1"], bare = ["win3"], off = ["win4"] }
  unreachable = ["win5"]
  expect {
    acts     = ["mount on vc1 for win2", "change on win2", "unmount on vc1 for win2"]
    warnings = ["not seen", "asleep", "VMware Tools", "the drive is free"]
    hosts    = { win5 = "unreachable" }
    says     = ["Nobody could look into: win5", "so nobody knows: win4", "not installed: win3", "win1 (another image is in its CD drive)"]
  }
}

test "outside of the window nobody is begun" {
  variables = { window = "Sun 01:00-05:00 UTC" } # a rehearsal begins on a Monday
  state     = { lacking = ["win1"] }
  expect {
    hosts = { win1 = "not_attempted" }
  }
}
