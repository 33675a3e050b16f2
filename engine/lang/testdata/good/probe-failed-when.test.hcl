test "a stopped service is a failure" {
  mock "probe" "service" {
    result = { exists = true, running = self.name != "vm1" }
  }
  expect {
    hosts = { vm1 = "failed" }
    says  = ["failed_when holds"]
  }
}

test "a missing one is none" {
  mock "probe" "service" {
    result = { exists = false, running = false }
  }
  expect {}
}
