# What engine-offline.hcl does, case by case. "dsplay test" runs it; docs/testing.md explains it.
# A BIOS UUID is simply the name of the guest here.

inventory {
  host "vc1" {}
  host "dsm1" {}
  host "nsx1" {}
  group "guests" {
    vcenter = "vc1"
    dsm     = "dsm1"
    nsx     = "nsx1"
  }
  group "esxi" {
    dsm = "dsm1"
    nsx = "nsx1"
  }
  hosts = merge(
    { for e in range(1, 5) : "esx${e}" => { groups = ["esxi"], dsva = "dsva${e}" } },
    { for e in range(1, 5) : "dsva${e}" => {} },
    { for x in setproduct(range(1, 5), range(1, 6)) : "win${x[0]}${x[1]}" => {
      groups = ["guests"], esxi = "esx${x[0]}", uuid = "win${x[0]}${x[1]}", bios_uuid = "win${x[0]}${x[1]}"
    } },
  )
}

state = {
  ill     = {}    # guest or ESXi host → the step that heals it
  asleep  = {}    # guest → suspended or standby
  unknown = []    # guests of which DSM cannot say
  off     = []    # ESXi hosts whose appliance is off: each is ill, too
  moved   = {}    # ESXi host → where its appliance is
  bare    = []    # ESXi hosts without a Mux
  no_ssh  = []    # ESXi hosts that do not answer to SSH
  ssh_off = []    # ESXi hosts whose SSH is off
  listed  = []    # ESXi hosts whose Mux is in vCenter's list of services
  locked  = []    # ESXi hosts in lockdown mode
  reset   = []    # ESXi hosts whose appliance is not activated
  shown   = []    # guests of which DSM goes on showing an error when they are well again
  nsx     = {}    # ESXi host → what NSX says of it; up unless said
  tagless = []    # guests without their tag
  mute    = []    # guests that do not answer any more when something was done in them
  stale   = false # DSM shows what it heard yesterday: everybody was online
}

locals {
  ill    = lookup(state.ill, self.name, "")
  healed = { for name, remedy in state.ill : name => remedy if name != self.name || !startswith(remedy, entry) && !startswith(entry, remedy) }
  engine = { for g in values(host) : g.name => contains(state.unknown, g.name) ? "unknown"
    : length(setintersection([g.name, g.esxi], concat(keys(state.ill), keys(state.asleep)))) > 0 ? "offline" : "online"
  if contains(g.groups, "guests") }
  leftover = [for g, engine in local.engine : g if engine == "online" && contains(state.shown, g)]
}

mock "probe" "vm" {
  result = {
    found                = true
    name                 = self.name
    bios_uuid            = self.bios_uuid
    power                = lookup(state.asleep, self.name, "") == "suspended" ? "suspended" : "poweredOn"
    awake                = !contains(keys(state.asleep), self.name)
    message              = lookup(state.asleep, self.name, "")
    guest_state          = contains(keys(state.asleep), self.name) ? "standby" : "running"
    tools_running        = true
    tools_status         = "toolsOk"
    tools_version_status = "guestToolsCurrent"
    esxi                 = self.esxi
    connection_state     = "connected"
  }
}

mock "probe" "vm" "appliance" {
  result = {
    found                = true
    name                 = coalesce(self.dsva, "none")
    bios_uuid            = ""
    power                = contains(state.off, self.name) ? "poweredOff" : "poweredOn"
    awake                = !contains(state.off, self.name)
    message              = ""
    guest_state          = "running"
    tools_running        = true
    tools_status         = "toolsOk"
    tools_version_status = "guestToolsCurrent"
    esxi                 = lookup(state.moved, self.name, self.name)
    connection_state     = "connected"
  }
}

mock "probe" "nsx_health" {
  result = {
    found      = true
    state      = lookup(state.nsx, self.name, "up")
    solution   = ""
    mux        = ""
    deployment = ""
    runtime    = ""
    appliances = []
    message    = ""
  }
}

mock "probe" "esxi_mux" {
  error = contains(state.no_ssh, self.name) ? { kind = "refused", text = "nobody listens" } : null
  result = {
    prepared   = !contains(state.bare, self.name)
    service    = contains(state.bare, self.name) ? "" : "nsx-context-mux"
    running    = local.ill != "mux_start"
    generation = "nsx-t"
  }
}

mock "probe" "esxi_service" {
  result = {
    found    = true
    message  = ""
    exists   = true
    running  = !contains(state.ssh_off, self.name)
    policy   = "off"
    services = contains(state.listed, self.name) ? { nsx-context-mux = { label = "Mux", running = true, policy = "on", required = false } } : {}
  }
}

mock "probe" "esxi_lockdown" {
  result = {
    found            = true
    mode             = contains(state.locked, self.name) ? "lockdownNormal" : "lockdownDisabled"
    exceptions       = []
    exceptions_known = contains(state.locked, self.name)
    refused          = contains(state.locked, self.name)
    message          = contains(state.locked, self.name) ? "${self.name} is in lockdown mode" : ""
  }
}

mock "probe" "ds_agent" {
  result = {
    exists         = true
    running        = true
    state          = "running"
    answers        = true
    agent_state    = "green"
    dsm            = contains(state.reset, self.name) ? "" : "https://dsm1:4120/"
    mode           = "on"
    driver_offline = false
    version        = "12.0"
    engine_version = ""
    healthy        = true
    message        = ""
  }
}

mock "probe" "nsx_tag" {
  result = {
    found   = true
    name    = self.name
    tagged  = !contains(state.tagless, self.name)
    tags    = []
    message = ""
  }
}

mock "probe" "ds_computer" {
  result = {
    found           = true
    name            = self.name
    agentless       = !contains(state.tagless, self.name)
    state           = contains(state.tagless, self.name) ? "unsupported" : contains(local.leftover, self.name) ? "unknown" : local.engine[self.name] # a guest that sleeps looks offline to DSM
    message         = ""
    error_shown     = contains(local.leftover, self.name)
    as_of           = now
    appliance       = try(coalesce(host[self.esxi].dsva, "none"), "none")
    esxi            = self.esxi
    security_groups = []
  }
}

mock "probe" "ds_computers" {
  result = {
    online      = [for g in args.bios_uuids : g if state.stale || local.engine[g] == "online" && !contains(local.leftover, g)]
    offline     = [for g in args.bios_uuids : g if !state.stale && local.engine[g] == "offline"]
    off         = []
    unsupported = []
    error_shown = [for g in args.bios_uuids : g if contains(local.leftover, g)]
    unknown     = [for g in args.bios_uuids : g if !state.stale && local.engine[g] == "unknown"]
    as_of       = state.stale ? timeadd(now, "-24h") : now
  }
}

mock "probe" "service" "driver" {
  result = {
    exists  = local.ill != "add"
    running = !contains(["start", "add"], local.ill)
    state   = local.ill == "start" ? "STOPPED" : local.ill == "add" ? "missing" : "RUNNING"
  }
}

mock "probe" "service" "after" {
  error  = contains(state.mute, self.name) ? { kind = "timeout", text = "no answer" } : null
  result = contains(state.mute, self.name) ? null : { exists = true, running = true, state = "RUNNING" }
}

mock "probe" "vmware_tools" {
  result = {
    installed          = true
    version            = "12.1.5"
    file_introspection = local.ill != "add"
    features           = local.ill == "add" ? [] : ["FileIntrospection"]
    drivers            = {}
    driver_start       = {}
    vsepflt_version    = ""
    busy               = ""
    outcome            = ""
    vsepflt_running    = !contains(["start", "add"], local.ill)
    pending_reboot     = false
    reboot_hint        = ""
  }
}

# DSM sees an appliance or a Mux that came back at the next heartbeat, ten minutes later at most.
mock "step" "ds_agent" "ds_agent" {
  set   = { ill = local.healed }
  after = "10m"
}

mock "step" "ds_clear_errors" {
  status = length(setintersection(state.shown, args.bios_uuids)) > 0 ? "changed" : "unchanged"
  set    = { shown = setsubtract(state.shown, args.bios_uuids) }
}

mock "step" "esxi_mux" {
  set   = { ill = local.healed }
  after = "10m"
}

mock "step" "vm" "power_on" {
  set   = { off = [for e in state.off : e if e != self.name], ill = { for e, remedy in state.ill : e => remedy if e != self.name } }
  after = "3m"
}

mock "step" "vm" "wake" {
  set = { asleep = { for name, how in state.asleep : name => how if name != self.name } }
}

mock "step" "nsx_tag" {
  set   = { tagless = [for g in state.tagless : g if g != self.name] }
  after = "1m"
}

mock "step" "ds_send_policy" "policy" {
  set = { ill = local.healed }
}

mock "step" "service" "start" {
  set = { ill = local.healed }
}

mock "step" "vm_tools_media" {}

mock "step" "vmware_tools" "change" {
  set = { ill = { for name, remedy in state.ill : name => remedy if name != self.name || remedy != "add" } }
}

mock "step" "vmware_tools" {
  set = { ill = local.healed }
}

test "healthy" {
  expect {}
}

test "case B, by the appliance" {
  state = { ill = { esx2 = "ds_agent" } }
  expect {
    acts = ["ds_agent on dsva2 for esx2"]
    plan = {
      "ds_agent on dsva2 for esx2" = "will_run"
      "mux on esx2"                = "attempt"
    }
  }
}

test "case B, by the Mux" {
  state = { ill = { esx2 = "mux" } }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux on esx2"]
  }
}

test "case B that nothing heals costs one host" {
  state = { ill = { esx2 = "nothing", esx3 = "nothing" } }
  expect {
    acts       = ["ds_agent on dsva2 for esx2", "mux on esx2"]
    stopped_by = "case_b"
    hosts      = { esx2 = "failed", esx3 = "not_attempted" }
    says       = ["no engine is back, DSM shows none of its 5 guests online", "the goal does not hold after \"restart the agent of the appliance\", then \"restart the Mux\", waited 15m0s each time"]
  }
}

test "case B, two hosts, one after the other" {
  state = { ill = { esx2 = "mux", esx3 = "ds_agent" } }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux on esx2", "ds_agent on dsva3 for esx3"]
  }
}

test "case B with patience shorter than the heartbeat" {
  variables = { patience = "4m" }
  state     = { ill = { esx2 = "ds_agent" } }
  expect {
    acts       = ["ds_agent on dsva2 for esx2", "mux on esx2"] # the Mux, for nothing: why 15m is the default
    stopped_by = "case_b"
    hosts      = { esx2 = "failed" }
    says       = ["waited 4m0s"]
  }
}

test "case B, and one guest with a fault of its own" {
  state = { ill = { esx2 = "ds_agent", win23 = "start" } }
  expect {
    acts     = ["ds_agent on dsva2 for esx2"] # not the Mux
    warnings = ["every guest is back on esx2"]
    says     = ["Still offline, a fault of their own, run again for case A: win23"]
  }
}

test "dark host with sleepers" {
  state = { ill = { esx2 = "ds_agent" }, asleep = { win21 = "standby", win22 = "suspended" } }
  expect {
    acts     = ["ds_agent on dsva2 for esx2"]
    warnings = ["asleep"]
    says     = ["they heal when they wake: win21, win22"]
  }
}

test "sleepers alone" {
  state = { asleep = { for i in range(1, 6) : "win2${i}" => "standby" } }
  expect {
    warnings = ["asleep"]
  }
}

test "the suspended are woken when it is asked for" {
  variables = { wake = true }
  state     = { asleep = { win21 = "standby", win22 = "suspended" } }
  expect {
    acts     = ["wake on vc1 for win22"]
    warnings = ["asleep"]
    says     = ["they heal when they wake: win21"]
  }
}

test "dark host with a guest of which DSM cannot say" {
  state = { ill = { esx2 = "mux" }, unknown = ["win21"] }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux on esx2"]
  }
}

test "two offline and two of which nobody knows are not dark" {
  inventory {
    host "esx5" {
      groups = ["esxi"]
      dsva   = "dsva1"
    }
    hosts = { for i in range(1, 8) : "win5${i}" => { groups = ["guests"], esxi = "esx5", uuid = "win5${i}", bios_uuid = "win5${i}" } }
  }
  state = { ill = { win21 = "start", win22 = "start" }, unknown = ["win23"], asleep = { win25 = "standby" } }
  mock "probe" "vm" {
    error = self.name == "win24" ? { kind = "timeout", text = "vCenter was too slow" } : null
  }
  expect {
    acts     = ["start on win21", "start on win22"]
    hosts    = { win24 = "failed" }
    warnings = ["asleep", "not seen"]
    says     = ["No answer about: win24 (", "vCenter was too slow"]
  }
}

test "case A, the driver is stopped" {
  state = { ill = { win31 = "start" } }
  expect {
    acts = ["start on win31"]
    plan = {
      "start on win31"  = "will_run"
      "repair on win31" = "attempt"
    }
  }
}

test "case A, VMware Tools without file introspection" {
  state = { ill = { win31 = "add" } }
  expect {
    acts = ["mount on vc1 for win31", "change on win31", "unmount on vc1 for win31"]
    plan = {
      "mount on vc1 for win31"   = "will_run"
      "change on win31"          = "will_run"
      "unmount on vc1 for win31" = "depends"
      "start on win31"           = "skipped"
      "repair on win31"          = "skipped"
    }
  }
}

test "case A, a guest that has lost its network meanwhile is not well, though DSM sees its engine" {
  state = { ill = { win31 = "add" }, mute = ["win31"] }
  expect {
    acts  = ["mount on vc1 for win31", "change on win31", "unmount on vc1 for win31"]
    hosts = { win31 = "failed" }
    says  = ["no answer"]
  }
}

test "case A, the appliance has lost the policy of a guest" {
  state = { ill = { win31 = "policy" } }
  expect {
    warnings = ["driver on win31"]
    acts     = ["policy on dsm1 for win31"]
    plan = {
      "policy on dsm1 for win31" = "will_run"
      "start on win31"           = "skipped"
      "repair on win31"          = "attempt"
    }
  }
}

test "case A, the policy cannot be sent: the next attempt is made" {
  state = { ill = { win31 = "repair" } }
  mock "step" "ds_send_policy" "policy" {
    error = "it failed: the appliance is out of touch"
  }
  expect {
    warnings = ["driver on win31"]
    acts     = ["policy on dsm1 for win31", "repair on win31"]
  }
}

test "case A, VMware Tools are broken" {
  state = { ill = { win31 = "repair" } }
  expect {
    warnings = ["driver on win31"]
    acts     = ["policy on dsm1 for win31", "repair on win31"]
    plan     = { "policy on dsm1 for win31" = "will_run", "repair on win31" = "attempt" }
  }
}

test "case A, nobody may change VMware Tools" {
  variables = { change_tools = false }
  state     = { ill = { win31 = "add" } }
  expect {
    hosts = { win31 = "failed" }
    says  = ["no attempt can be made; nothing was changed"]
  }
}

test "case A, nobody may repair VMware Tools" {
  variables = { change_tools = false }
  state     = { ill = { win31 = "repair" } }
  expect {
    hosts    = { win31 = "failed" }
    warnings = ["driver on win31"]
    acts     = ["policy on dsm1 for win31"]
  }
}

test "case A, only a reboot helps" {
  variables = { reboot = true }
  state     = { ill = { win31 = "reboot" } }
  mock "step" "reboot" {
    set = { ill = local.healed }
  }
  expect {
    acts = ["policy on dsm1 for win31", "repair on win31", "reboot on win31"]
  }
}

test "lone guest of an ESXi host" {
  inventory {
    host "dsva5" {}
    host "esx5" {
      groups = ["esxi"]
      dsva   = "dsva5"
    }
    host "win51" {
      groups    = ["guests"]
      esxi      = "esx5"
      uuid      = "win51"
      bios_uuid = "win51"
    }
  }
  state = { ill = { win51 = "repair" } }
  expect {
    warnings = ["driver on win51"]
    acts     = ["policy on dsm1 for win51", "repair on win51"] # one guest says nothing of its ESXi host
  }
}

test "mixed" {
  state = { ill = { esx2 = "ds_agent", win11 = "start", win31 = "add" } }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "start on win11", "mount on vc1 for win31", "change on win31", "unmount on vc1 for win31"]
  }
}

test "everything dark" {
  state = { ill = { for i in range(1, 5) : "esx${i}" => "nothing" } }
  expect {
    stopped_by = "one host, not the estate"
    says       = ["No engine is online on any of 4 ESXi hosts", "nothing was touched"]
  }
}

test "everything dark, a host with one guest, too" {
  inventory {
    host "win51" {
      groups    = ["guests"]
      esxi      = "esx5"
      uuid      = "win51"
      bios_uuid = "win51"
    }
    host "esx5" {
      groups = ["esxi"]
      dsva   = "dsva4"
    }
  }
  state = { ill = { for i in range(1, 6) : "esx${i}" => "nothing" } }
  expect {
    stopped_by = "one host, not the estate"
    says       = ["No engine is online on any of 5 ESXi hosts"]
  }
}

test "one guest unreachable" {
  state       = { ill = { win11 = "start", win31 = "start" } }
  unreachable = ["win11"]
  expect {
    acts  = ["start on win31"]
    hosts = { win11 = "unreachable" }
  }
}

test "an appliance unreachable" {
  state       = { ill = { esx2 = "mux" } }
  unreachable = ["dsva2"]
  expect {
    acts  = ["mux on esx2"] # an attempt that cannot be made counts as tried
    hosts = { dsva2 = "unreachable" }
  }
}

test "DSM unreachable" {
  unreachable = ["dsm1"]
  expect {
    stopped_by = "triage"
    hosts = merge({ for h in values(host) : h.name => "aborted" if contains(h.groups, "guests") },
    { win11 = "failed", win12 = "failed", dsm1 = "unreachable" })
  }
}

test "DSM stale: it has not heard of anybody for long" {
  state = { unknown = [for h in values(host) : h.name if contains(h.groups, "guests")] }
  expect {
    stopped_by = "DSM knows"
    says       = ["DSM cannot say how 20 of 20 guests are"]
  }
}

test "DSM stale: it shows an online from before the remedy" {
  state = { ill = { esx2 = "mux" } }
  mock "step" "ds_agent" "ds_agent" {
    set = { stale = true }
  }
  mock "step" "esxi_mux" "mux" {
    set = { stale = false, ill = local.healed }
  }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux on esx2"] # the first online is not believed
  }
}

test "case B, the Mux does not run: it is started first" {
  state = { ill = { esx2 = "start_mux" } }
  mock "probe" "esxi_mux" {
    result = { prepared = true, service = "nsx-context-mux", running = false, generation = "nsx-t" }
  }
  expect {
    acts = ["start_mux on esx2"]
    plan = {
      "start_mux on esx2"          = "will_run"
      "ds_agent on dsva2 for esx2" = "attempt"
      "mux on esx2"                = "attempt"
    }
  }
}

test "case B, a restart that hangs is made once more" {
  state = { ill = { esx2 = "ds_agent" } }
  mock "step" "ds_agent" "ds_agent" {
    error = timecmp(now, "2024-01-01T09:00:02Z") < 0 ? { kind = "timeout", text = "not done in the time allowed, killed" } : null
    set   = { ill = local.healed }
    after = "10m"
  }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "ds_agent on dsva2 for esx2"]
  }
}

test "case B, the ESXi host takes no SSH, and the appliance is the cause" {
  state = { ill = { esx2 = "ds_agent" }, no_ssh = ["esx2"] }
  expect {
    acts     = ["ds_agent on dsva2 for esx2"]
    warnings = ["SSH on esx2"]
    says     = ["its Mux cannot be restarted: SSH gives no answer"]
  }
}

test "the appliance is off, and nobody has consented" {
  state = { ill = { esx2 = "power" }, off = ["esx2"] }
  expect {
    hosts = { esx2 = "failed" }
    says  = ["its appliance dsva2 is poweredOff", "--var power_on_appliance=true"]
  }
}

test "the appliance is off, and may be powered on" {
  variables = { power_on_appliance = true }
  state     = { ill = { esx2 = "power" }, off = ["esx2"] }
  expect {
    acts = ["power_on on vc1 for esx2"]
    plan = {
      "power_on on vc1 for esx2"   = "will_run"
      "ds_agent on dsva2 for esx2" = "attempt"
      "mux on esx2"                = "attempt"
    }
  }
}

test "the appliance of another dark host is off: it stands in nobody's way" {
  state = { ill = { esx1 = "power", esx2 = "ds_agent" }, off = ["esx1"] }
  expect {
    acts  = ["ds_agent on dsva2 for esx2"]
    hosts = { esx1 = "failed" }
    says  = ["its appliance dsva1 is poweredOff"]
  }
}

test "the appliance has moved: nobody moves it back" {
  state = { ill = { esx2 = "nothing" }, moved = { esx2 = "esx4" } }
  expect {
    hosts = { esx2 = "failed" }
    says  = ["its appliance dsva2 has moved to esx4"]
  }
}

test "the ESXi host is not prepared: nothing is restarted" {
  state = { ill = { esx2 = "nothing" }, bare = ["esx2"] }
  expect {
    hosts = { esx2 = "failed" }
    says  = ["it is not prepared for Guest Introspection"]
  }
}

test "the inventory has no appliance for the ESXi host" {
  inventory {
    host "esx5" {
      groups = ["esxi"]
    }
    hosts = { for i in range(1, 4) : "win5${i}" => { groups = ["guests"], esxi = "esx5", uuid = "win5${i}", bios_uuid = "win5${i}" } }
  }
  state = { ill = { esx5 = "nothing" } }
  expect {
    hosts = { esx5 = "failed" }
    says  = ["the inventory does not say which appliance is its own"]
  }
}

test "a dark ESXi host that the inventory does not have" {
  inventory {
    hosts = { for i in range(1, 4) : "win5${i}" => { groups = ["guests"], esxi = "esx5", uuid = "win5${i}", bios_uuid = "win5${i}" } }
  }
  state = { ill = { esx5 = "nothing" } }
  expect {
    warnings = ["in the inventory"]
    says     = ["ESXi hosts that the inventory does not have; left alone: esx5"]
  }
}

test "lone guest of an ESXi host that NSX calls down" {
  inventory {
    host "dsva5" {}
    host "esx5" {
      groups = ["esxi"]
      dsva   = "dsva5"
    }
    host "win51" {
      groups    = ["guests"]
      esxi      = "esx5"
      uuid      = "win51"
      bios_uuid = "win51"
    }
  }
  state = { ill = { esx5 = "ds_agent" }, nsx = { esx5 = "down" } }
  expect {
    acts = ["ds_agent on dsva5 for esx5"]
  }
}

test "NSX Manager does not answer: nothing is touched" {
  state       = { ill = { esx2 = "ds_agent", win31 = "start" } }
  unreachable = ["nsx1"]
  expect {
    stopped_by = "around"
    hosts      = { esx2 = "failed", esx3 = "aborted", nsx1 = "unreachable" }
  }
}

test "vCenter does not answer: nothing is touched" {
  state       = { ill = { esx2 = "ds_agent" } }
  unreachable = ["vc1"]
  expect {
    stopped_by = "triage"
    hosts = merge({ for h in values(host) : h.name => "aborted" if contains(h.groups, "guests") },
    { win11 = "failed", win12 = "failed", vc1 = "unreachable" })
  }
}

test "vCenter has lost an ESXi host: its guests do not count" {
  state = { ill = { esx2 = "nothing" } }
  mock "probe" "vm" "vm" {
    result = self.esxi != "esx2" ? null : {
      found                = true
      name                 = self.name
      bios_uuid            = self.name
      power                = "poweredOn"
      awake                = false
      message              = "vCenter is not connected to it"
      guest_state          = "unknown"
      tools_running        = false
      tools_status         = "toolsNotRunning"
      tools_version_status = "guestToolsCurrent"
      esxi                 = self.esxi
      connection_state     = "disconnected"
    }
  }
  expect {
    warnings = ["cut off"]
    says     = ["look there first: win21, win22, win23, win24, win25"]
  }
}

test "a guest has lost its tag" {
  inventory {
    hosts = { for n in ["win16", "win17"] : n => { groups = ["guests"], esxi = "esx1", uuid = n, bios_uuid = n,
    nsx_tag = { name = "protected", scope = "deepsecurity", group = "DS-Protected" } } }
  }
  state = { tagless = ["win16", "win41"] } # win41 has none in the inventory, and is left alone
  expect {
    acts = ["tag on nsx1 for win16"]
    plan = { "tag on nsx1 for win16" = "will_run" }
  }
}

test "a guest has its tag, and is not protected" {
  inventory {
    host "win16" {
      groups    = ["guests"]
      esxi      = "esx1"
      uuid      = "win16"
      bios_uuid = "win16"
      nsx_tag   = { name = "protected" }
    }
  }
  state = { tagless = ["win16"] }
  mock "probe" "nsx_tag" {
    result = { found = true, name = "win16", tagged = true, tags = ["protected"], message = "" }
  }
  expect {
    hosts = { win16 = "failed" }
    says  = ["No appliance protects it, and its tag is not why. Look at group, policy and service profile in NSX"]
  }
}

test "case A, Tools that lose the Mux by a defect: a reboot, and no repair" {
  variables = { reboot = true }
  state     = { ill = { win31 = "reboot" } }
  mock "step" "reboot" {
    set = { ill = local.healed }
  }
  mock "probe" "vmware_tools" {
    result = {
      installed          = true
      version            = "10.3.5.7752"
      file_introspection = true
      features           = ["FileIntrospection"]
      drivers            = {}
      driver_start       = {}
      vsepflt_version    = ""
      busy               = ""
      outcome            = ""
      vsepflt_running    = true
      pending_reboot     = false
      reboot_hint        = ""
    }
  }
  expect {
    acts = ["policy on dsm1 for win31", "reboot on win31"]
    plan = { "policy on dsm1 for win31" = "will_run", "reboot on win31" = "attempt", "repair on win31" = "skipped" }
  }
}

test "case A, VMware Tools is not installed" {
  state = { ill = { win31 = "add" } }
  mock "probe" "vmware_tools" {
    result = {
      installed          = false
      version            = ""
      file_introspection = false
      features           = []
      drivers            = {}
      driver_start       = {}
      vsepflt_version    = ""
      busy               = ""
      outcome            = ""
      vsepflt_running    = false
      pending_reboot     = false
      reboot_hint        = ""
    }
  }
  expect {
    hosts = { win31 = "failed" }
    says  = ["VMware Tools is not installed"]
  }
}

test "case B, and DSM goes on showing the errors" {
  state = { ill = { esx2 = "ds_agent" }, shown = [for i in range(1, 6) : "win2${i}"] }
  expect {
    acts     = ["ds_agent on dsva2 for esx2"]
    warnings = ["DSM shows it on esx2"]
    says     = ["the next run clears it: win21, win22, win23, win24, win25"]
  }
}

test "errors that DSM goes on showing from before" {
  state = { shown = ["win11", "win12"] }
  expect {
    acts = ["clear on dsm1 for win11", "clear on dsm1 for win12"]
  }
}

test "errors that DSM goes on showing, and nobody may clear them" {
  variables = { clear_errors = false }
  state     = { shown = [for h in values(host) : h.name if contains(h.groups, "guests")] }
  expect {}
}

test "the ESXi host's SSH is off" {
  state = { ill = { esx2 = "mux" }, ssh_off = ["esx2"] }
  expect {
    acts       = ["ds_agent on dsva2 for esx2"]
    stopped_by = "case_b"
    hosts      = { esx2 = "failed" }
    warnings   = ["SSH on esx2"]
    says       = ["its Mux cannot be restarted: SSH is off (dsplay run playbooks/esxi-ssh.hcl -i INVENTORY --var 'on=[\"esx2\"]' switches it on)"]
  }
}

test "the ESXi host is in lockdown mode: nobody tries to log in" {
  state = { ill = { esx2 = "ds_agent" }, locked = ["esx2"] }
  expect {
    acts     = ["ds_agent on dsva2 for esx2"]
    warnings = ["SSH on esx2"]
    says     = ["esx2 is in lockdown mode. Except the account"]
  }
}

test "the appliance is not activated" {
  state = { ill = { esx2 = "nothing" }, reset = ["esx2"] }
  expect {
    hosts = { esx2 = "failed" }
    says  = ["its appliance dsva2 is not activated. Activate it in DSM"]
  }
}

test "case A, the driver is disabled: it is not started in vain" {
  state = { ill = { win31 = "repair" } }
  mock "probe" "service" "driver" {
    result = { exists = true, running = false, state = "STOPPED" }
  }
  mock "probe" "vmware_tools" {
    result = {
      installed          = true
      version            = "12.1.5"
      file_introspection = true
      features           = ["FileIntrospection"]
      drivers            = {}
      driver_start       = { vsepflt = "disabled" }
      vsepflt_version    = ""
      busy               = ""
      outcome            = ""
      vsepflt_running    = false
      pending_reboot     = false
      reboot_hint        = ""
    }
  }
  expect {
    acts = ["repair on win31"]
  }
}

test "at night, one dark host is healed unattended" {
  policy = "policies/night.hcl"
  now    = "2026-11-21T02:00:00+09:00"
  state  = { ill = { esx2 = "mux" } }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux on esx2"]
  }
}

test "at night, two dark hosts are left for a person" {
  policy = "policies/night.hcl"
  now    = "2026-11-21T02:00:00+09:00"
  state  = { ill = { esx2 = "mux", esx3 = "ds_agent" } }
  expect {
    refused_by = ["night.max_hosts"]
  }
}

test "at night, VMware Tools are left for a person" {
  policy = "policies/night.hcl"
  now    = "2026-11-21T02:00:00+09:00"
  state  = { ill = { win23 = "repair" } }
  expect {
    refused_by = ["night.deny", "night.modules"]
    warnings   = ["driver on win23"]
  }
}

test "by day nothing is done unattended" {
  policy = "policies/night.hcl"
  now    = "2026-11-21T12:00:00+09:00"
  state  = { ill = { esx2 = "mux" } }
  expect {
    refused_by = ["night.window"]
  }
}

test "at the end of the night no attempt begins that would outlast it" {
  policy = "policies/night.hcl"
  now    = "2026-11-21T05:40:00+09:00"
  state  = { ill = { esx2 = "mux" } }
  expect {
    acts  = ["ds_agent on dsva2 for esx2"]
    hosts = { esx2 = "aborted" }
    says  = ["the attempt \"restart the Mux\" may need 15m0s"]
  }
}

test "case A, a snapshot before VMware Tools is changed" {
  variables = { snapshot = true }
  state     = { ill = { win31 = "add", win41 = "repair" } }
  mock "step" "vm_snapshot" {}
  expect {
    acts     = ["snapshot on vc1 for win31", "mount on vc1 for win31", "change on win31", "unmount on vc1 for win31", "policy on dsm1 for win41", "before_repair on vc1 for win41", "repair on win41"]
    warnings = ["driver on win41"]
    plan = {
      "snapshot on vc1 for win31"      = "will_run"
      "mount on vc1 for win31"         = "will_run"
      "change on win31"                = "will_run"
      "unmount on vc1 for win31"       = "depends"
      "policy on dsm1 for win41"       = "will_run"
      "before_repair on vc1 for win41" = "attempt"
      "repair on win41"                = "attempt"
    }
  }
}

test "case A, no snapshot, no change" {
  variables = { snapshot = true }
  state     = { ill = { win31 = "repair" } }
  mock "step" "vm_snapshot" {
    error = "the datastore is full"
  }
  expect {
    acts     = ["policy on dsm1 for win31", "before_repair on vc1 for win31"]
    hosts    = { win31 = "failed" }
    warnings = ["driver on win31"]
    says     = ["the datastore is full"]
  }
}

test "case A, the change wants a reboot that nobody has allowed" {
  state = { ill = { win31 = "reboot" } }
  mock "step" "vmware_tools" "repair" {
    result = {
      installed          = true
      version            = "12.1.5"
      file_introspection = true
      features           = ["FileIntrospection"]
      drivers            = {}
      driver_start       = {}
      vsepflt_version    = ""
      busy               = ""
      outcome            = "reboot_pending"
      vsepflt_running    = false
      pending_reboot     = true
      reboot_hint        = "files in use"
      exit_code          = 3010
    }
  }
  expect {
    acts     = ["policy on dsm1 for win31", "repair on win31"]
    hosts    = { win31 = "failed" }
    warnings = ["driver on win31", "reboot_repair on win31"]
    says     = ["The guest waits for a reboot, and is perhaps not protected until then"]
  }
}

test "case B, SSH is off, and vCenter has the Mux in its list" {
  state = { ill = { esx2 = "mux" }, ssh_off = ["esx2"], listed = ["esx2"] }
  mock "step" "esxi_service" {
    set   = { ill = local.healed }
    after = "10m"
  }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux_service on vc1 for esx2"]
    plan = {
      "ds_agent on dsva2 for esx2"  = "will_run"
      "mux_service on vc1 for esx2" = "attempt"
      "mux on esx2"                 = "skipped"
    }
  }
}

test "case B, SSH is on, and vCenter has the Mux in its list: over SSH it is proven" {
  state = { ill = { esx2 = "mux" }, listed = ["esx2"] }
  expect {
    acts = ["ds_agent on dsva2 for esx2", "mux on esx2"]
  }
}
