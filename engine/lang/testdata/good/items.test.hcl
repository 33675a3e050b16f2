mock "probe" "service" "now" {
  result = { exists = true, running = item != "c" }
}

test "all is well" {
  expect {
    acts = [for x in setproduct(["vm1", "vm2"], ["set[a]", "set[c]", "per_disk[a]", "per_disk[b]", "reboot"]) : "${x[1]} on ${x[0]}"]
    plan = merge([for vm in ["vm1", "vm2"] : {
      "set[a] on ${vm}"      = "will_run"
      "set[b] on ${vm}"      = "skipped"
      "set[c] on ${vm}"      = "will_run"
      "per_disk[a] on ${vm}" = "will_run"
      "per_disk[b] on ${vm}" = "will_run"
      "reboot on ${vm}"      = "depends"
    }]...)
  }
}

test "nothing of it changed anything" {
  mock "step" "service" {
    result = { exists = true, running = false }
  }
  expect {
    acts = [for x in setproduct(["vm1", "vm2"], ["set[a]", "set[c]", "per_disk[a]", "per_disk[b]"]) : "${x[1]} on ${x[0]}"]
  }
}

test "one item fails on one host" {
  mock "step" "service" "set[a]" {
    error = self.name == "vm2" ? { kind = "exit", text = "code 3" } : null
    result = { exists = true, running = true }
  }
  expect {
    acts = concat(
      [for x in ["set[a]", "set[c]", "per_disk[a]", "per_disk[b]", "reboot"] : "${x} on vm1"],
      ["set[a] on vm2", "set[a] on vm2", "set[c] on vm2"],
    )
    hosts    = { vm2 = "failed" }
    warnings = ["how it ended"]
    says     = ["1 of 3 items failed (a)"]
  }
}

test "an ignored item" {
  mock "step" "login" {
    error = item == "a" ? "no" : null
  }
  expect {
    acts = [for x in setproduct(["vm1", "vm2"], ["set[a]", "set[c]", "per_disk[a]", "per_disk[b]", "reboot"]) : "${x[1]} on ${x[0]}"]
  }
}

test "failed_when of one item" {
  mock "step" "service" "set" {
    result = { exists = item != "c", running = true }
  }
  expect {
    acts = concat(
      ["set[a] on vm1", "set[c] on vm1", "set[c] on vm1"],
      ["set[a] on vm2", "set[c] on vm2", "set[c] on vm2"],
    )
    hosts    = { vm1 = "failed", vm2 = "failed" }
    warnings = ["how it ended"]
  }
}

test "nothing to walk" {
  variables = { services = {} }
  expect {}
}
