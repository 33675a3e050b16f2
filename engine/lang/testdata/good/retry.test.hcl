mock "probe" "service" {
  result = { exists = true, running = timecmp(now, "2024-01-01T09:01:30Z") >= 0 }
}
mock "step" "service" "judged" {
  result = { exists = true, running = timecmp(now, "2024-01-01T09:01:33Z") >= 0 }
}

test "the third execution works, and the second look" {
  mock "step" "service" "start" {
    error = timecmp(now, "2024-01-01T09:00:30Z") < 0 ? { kind = "exit", text = "busy" } : null
  }
  expect {
    acts = ["start on vm1", "start on vm1", "start on vm1", "choosy on vm1", "judged on vm1", "judged on vm1", "judged on vm1"]
  }
}

test "it never works" {
  mock "step" "service" "start" {
    error = "broken"
  }
  expect {
    acts  = ["start on vm1", "start on vm1", "start on vm1", "start on vm1"]
    hosts = { vm1 = "failed" }
    says  = ["broken"]
  }
}

test "a kind that is not worth it" {
  mock "step" "service" "choosy" {
    error = { kind = "exit", text = "no" }
  }
  mock "step" "service" "judged" {
    result = { exists = true, running = false }
  }
  expect {
    acts  = ["start on vm1", "choosy on vm1", "judged on vm1", "judged on vm1", "judged on vm1"]
    hosts = { vm1 = "failed" }
    says  = ["failed_when holds"]
  }
}

test "a kind that is worth it" {
  mock "step" "service" "choosy" {
    error = { kind = "timeout", text = "slow" }
  }
  mock "probe" "service" "wait" {
    result = { exists = true, running = false }
  }
  expect {
    acts = ["start on vm1", "choosy on vm1", "choosy on vm1", "choosy on vm1", "choosy on vm1", "choosy on vm1", "judged on vm1"]
  }
}
