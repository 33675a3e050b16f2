test "nobody" {
  expect {
    stopped_by = "no hosts"
  }
}

test "nobody, and that is fine" {
  variables = { empty = true }
  expect {}
}
