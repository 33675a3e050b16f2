mock "probe" "service" {
  result = { exists = true, running = timecmp(now, "2024-01-01T09:00:20Z") >= 0 }
}

test "it runs when it is looked at again" {
  expect {
    plan = { "b on vm1" = "will_run", "b on vm2" = "will_run", "c on vm1" = "depends", "c on vm2" = "depends" }
  }
}
