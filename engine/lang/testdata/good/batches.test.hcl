inventory {
  hosts = { for i in range(1, 6) : "vm${i}" => { groups = ["guests"] } }
  group "guests" {}
}

test "all goes well" {
  expect {
    acts = concat(
      [for i in range(1, 6) : "restart on vm${i}"],
      [for i in range(1, 6) : "mux on vm${i}"],
      [for i in range(1, 6) : "reboot on vm${i}"],
    )
  }
}

test "one fails where none may" {
  mock "step" "service" {
    error = self.name == "vm2" ? "no" : null
  }
  expect {
    acts       = ["restart on vm1", "restart on vm2"]
    stopped_by = "careful"
    hosts      = { vm2 = "failed", vm3 = "aborted", vm4 = "not_attempted", vm5 = "not_attempted" }
  }
}

test "two of five may fail, three may not" {
  mock "step" "esxi_mux" {
    error = contains(["vm1", "vm3", "vm4"], self.name) ? "no" : null
  }
  expect {
    acts       = concat([for i in range(1, 6) : "restart on vm${i}"], ["mux on vm1", "mux on vm2", "mux on vm3", "mux on vm4"])
    stopped_by = "bold"
    hosts      = { vm1 = "failed", vm3 = "failed", vm4 = "failed", vm5 = "not_attempted" }
  }
}

test "any number may fail" {
  mock "step" "reboot" {
    error = "no"
  }
  expect {
    acts = concat(
      [for i in range(1, 6) : "restart on vm${i}"],
      [for i in range(1, 6) : "mux on vm${i}"],
      [for i in range(1, 6) : "reboot on vm${i}"],
    )
    hosts = { for i in range(1, 6) : "vm${i}" => "failed" }
  }
}

test "who does not answer counts, too" {
  unreachable = ["vm3"]
  expect {
    acts       = []
    stopped_by = "careful"
    hosts      = { vm3 = "unreachable", vm4 = "aborted", vm5 = "aborted" }
  }
}
