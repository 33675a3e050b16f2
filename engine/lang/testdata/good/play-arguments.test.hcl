test "as it is" {
  expect {}
}

test "one host does not answer" {
  unreachable = ["vm2"]
  expect {
    hosts      = { vm2 = "unreachable" }
  }
}
