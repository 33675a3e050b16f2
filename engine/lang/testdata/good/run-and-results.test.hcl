test "a run has a name" {
  expect {
    acts     = ["d on localhost", "e on localhost"]
    plan     = { "d on localhost" = "will_run", "e on localhost" = "depends" }
    warnings = ["f on localhost"]
    says     = ["this is rehearsal"]
  }
}
