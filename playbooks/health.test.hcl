# What health.hcl says of an estate, fault by fault. There is no step in it, so a test that acted would fail.

inventory {
  host "vc1" {}
  host "dsm1" {}
  host "nsx1" {}
  group "guests" {
    vcenter = "vc1"
    dsm     = "dsm1"
    nsx     = "nsx1"
    nsx_tag = { name = "protected" }
  }
  group "esxi" {
    nsx = "nsx1"
  }
  hosts = merge(
    { for e in range(1, 3) : "esx${e}" => { groups = ["esxi"], dsva = "dsva${e}" } },
    { for e in range(1, 3) : "dsva${e}" => {} },
    { for x in setproduct(range(1, 3), range(1, 4)) : "win${x[0]}${x[1]}" => {
      groups = ["guests"], esxi = "esx${x[0]}", uuid = "win${x[0]}${x[1]}", bios_uuid = "win${x[0]}${x[1]}"
    } },
  )
}

state = {
  engine  = {} # guest → what DSM says of its engine; online unless said
  power   = {} # guest → suspended, poweredOff or disconnected
  tagless = [] # guests without their tag
  tools   = {} # guest → what is wrong with its VMware Tools
  esxi    = {} # ESXi host → what is wrong with it, its Mux or its appliance
  update  = {} # ESXi host → how its last security update ended; successful unless said
}

locals {
  power = lookup(state.power, self.name, "poweredOn")
  ill   = lookup(state.esxi, self.name, "")
  tools = lookup(state.tools, self.name, "")
}

mock "probe" "vm" {
  result = {
    found                = true
    name                 = self.name
    bios_uuid            = self.name
    power                = local.power == "disconnected" ? "poweredOn" : local.power
    awake                = local.power == "poweredOn"
    message              = ""
    guest_state          = "running"
    tools_running        = true
    tools_status         = "toolsOk"
    tools_version_status = "guestToolsCurrent"
    esxi                 = self.esxi
    connection_state     = local.power == "disconnected" ? "disconnected" : "connected"
  }
}

mock "probe" "vm" "appliance" {
  result = {
    found                = true
    name                 = self.dsva
    bios_uuid            = ""
    power                = local.ill == "off" ? "poweredOff" : "poweredOn"
    awake                = local.ill != "off"
    message              = ""
    guest_state          = "running"
    tools_running        = true
    tools_status         = "toolsOk"
    tools_version_status = "guestToolsCurrent"
    esxi                 = local.ill == "moved" ? "esx9" : self.name
    connection_state     = "connected"
  }
}

mock "probe" "ds_computer" {
  result = {
    found           = lookup(state.engine, self.name, "") != "nameless"
    name            = self.name
    agentless       = !contains(["unsupported", "nameless"], lookup(state.engine, self.name, ""))
    state           = replace(lookup(state.engine, self.name, "online"), "/shown|nameless/", "unknown")
    message         = "silent"
    error_shown     = lookup(state.engine, self.name, "") == "shown"
    appliance       = ""
    esxi            = ""
    security_groups = []
  }
}

mock "probe" "nsx_tag" {
  result = { found = true, name = self.name, tagged = !contains(state.tagless, self.name), tags = [], message = "" }
}

mock "probe" "nsx_health" {
  result = {
    found      = true
    state      = local.ill == "nsx" ? "down" : "up"
    solution   = ""
    mux        = ""
    deployment = ""
    runtime    = ""
    appliances = []
    message    = local.ill == "nsx" ? "the Mux is not connected to the appliance" : ""
  }
}

mock "probe" "esxi_service" {
  result = { found = true, message = "", exists = true, running = local.ill != "ssh", policy = "off", services = {} }
}

mock "probe" "esxi_lockdown" {
  result = { found = true, mode = "", exceptions = [], exceptions_known = true, refused = local.ill == "locked", message = "" }
}

mock "probe" "esxi_mux" {
  result = { prepared = local.ill != "bare", service = "", running = local.ill != "mux", generation = "nsx-t" }
}

mock "probe" "ds_agent" {
  result = {
    exists         = true
    running        = true
    state          = "running"
    answers        = true
    agent_state    = "green"
    dsm            = "https://dsm1:4120/"
    mode           = "on"
    driver_offline = local.ill == "agent"
    version        = ""
    engine_version = ""
    healthy        = local.ill != "agent"
    message        = local.ill == "agent" ? "its anti-malware driver is offline" : ""
  }
}

mock "probe" "ds_update" {
  result = {
    found       = true
    outcome     = lookup(state.update, self.name, "successful")
    cause       = lookup(state.update, self.name, "") == "failed" ? "tls" : "none"
    description = ""
  }
}

mock "probe" "vmware_tools" {
  result = {
    installed          = local.tools != "none"
    version            = local.tools == "defect" ? "10.3.5.7752" : "12.1.5"
    file_introspection = !contains(["none", "lacking"], local.tools)
    features           = []
    drivers            = {}
    driver_start       = {}
    vsepflt_version    = ""
    busy               = ""
    outcome            = ""
    vsepflt_running    = !contains(["none", "lacking", "stopped"], local.tools)
    pending_reboot     = local.tools == "reboot"
    reboot_hint        = local.tools == "reboot" ? "Windows Update" : ""
  }
}

test "all is well" {
  variables = { alarm = true }
  expect {}
}

test "an alarm" {
  variables = { alarm = true }
  state     = { engine = { win11 = "offline" } }
  expect {
    warnings   = ["engines"]
    stopped_by = "nothing is wrong"
    says       = ["1 thing is wrong, 5 of 6 engines are online", "Engines are offline: win11. dsplay run playbooks/engine-offline.hcl -i INVENTORY tells why"]
  }
}

test "a guest that is asleep, or off, is no alarm" {
  variables = { alarm = true }
  state     = { power = { win11 = "suspended", win12 = "poweredOff" } }
  expect {
    warnings = ["asleep"]
    says     = ["Guests are asleep: win11."]
  }
}

test "what DSM says" {
  state = { engine = { win11 = "offline", win12 = "unknown", win13 = "shown", win21 = "unsupported", win23 = "nameless" }, power = { win22 = "disconnected" } }
  expect {
    warnings = ["cut off", "engines", "DSM knows", "DSM has them", "errors shown", "groups"]
    says = ["Engines are offline: win11.", "how engines are: win12 (silent)", "whether they are protected is not known: win23 (silent)", "goes on showing an error: win13. engine-offline.hcl clears it",
    "no appliance protects them: win21.", "or to their ESXi hosts: win22"]
  }
}

test "a tag is lost" {
  state = { engine = { win11 = "unsupported" }, tagless = ["win11"] }
  expect {
    warnings = ["tags"]
    says     = ["lost the tag that makes them protected: win11. engine-offline.hcl gives it back"]
  }
}

test "appliances" {
  state = { esxi = { esx1 = "off", esx2 = "moved" } }
  expect {
    warnings = ["appliances on", "appliances at home"]
    says     = ["those of ESXi hosts: esx1. dsplay run playbooks/engine-offline.hcl -i INVENTORY --var power_on_appliance=true", "dsva2 (of esx2, on esx9). Move them back"]
  }
}

test "an agent, and what NSX says" {
  state = { esxi = { esx1 = "agent", esx2 = "nsx" } }
  expect {
    warnings = ["agents", "Guest Introspection"]
    says     = ["dsva1 (its anti-malware driver is offline)", "esx2 (the Mux is not connected to the appliance)"]
  }
}

test "the Mux" {
  state = { esxi = { esx1 = "mux", esx2 = "bare" } }
  expect {
    warnings = ["Mux", "prepared"]
    says     = ["The Mux does not run on ESXi hosts: esx1", "ESXi hosts have no Mux: esx2. Deploy the service"]
  }
}

test "SSH is off, and lockdown: nobody logs in" {
  state = { esxi = { esx1 = "ssh", esx2 = "locked" } }
  expect {
    warnings = ["SSH"]
    says     = ["Nobody could log in to ESXi hosts or appliances: esx1, esx2. SSH is often off there: dsplay run playbooks/esxi-ssh.hcl -i INVENTORY --var"]
  }
}

test "updates" {
  state = { update = { esx1 = "failed", esx2 = "unknown" } }
  expect {
    warnings = ["updates", "patterns"]
    says     = ["Security updates fail on ESXi hosts: esx1 (tls). dsplay run playbooks/update-failed.hcl", "No security update for 3d on ESXi hosts: esx2"]
  }
}

test "VMware Tools" {
  state = { tools = { win11 = "none", win12 = "lacking", win13 = "stopped", win21 = "defect", win22 = "reboot" } }
  expect {
    warnings = ["Tools", "introspection", "drivers", "defect", "reboots"]
    says = ["not installed in guests: win11", "lacks FileIntrospection in guests: win12. dsplay run playbooks/tools-introspection.hcl -i INVENTORY adds it", "does not run in guests: win13",
    "win21 (10.3.5.7752). Upgrade it", "win22 (Windows Update)"]
  }
}

test "nobody may log in to guests" {
  variables = { inside = false }
  state     = { tools = { win11 = "none" } }
  expect {}
}

test "guests and appliances that nobody can log in to" {
  unreachable = ["win11", "dsva2"]
  expect {
    warnings = ["SSH", "logins"]
    says     = ["Guests could not be looked into: win11", "ESXi hosts or appliances: dsva2"]
  }
}

test "NSX Manager does not answer" {
  unreachable = ["nsx1"]
  expect {
    warnings = ["NSX", "NSX tags"]
    says     = ["NSX gave no answer about ESXi hosts: esx1, esx2. Look at NSX Manager first"]
  }
}

test "DSM does not answer: the survey says so, and has nothing to judge" {
  unreachable = ["dsm1"]
  expect {
    warnings = ["not seen"]
    hosts    = merge({ for h in values(host) : h.name => "failed" if contains(h.groups, "guests") }, { dsm1 = "unreachable" })
    says     = ["No answer about guests: win11 ("]
  }
}
