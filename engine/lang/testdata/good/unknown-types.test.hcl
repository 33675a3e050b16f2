test "the tag is there" {
  mock "step" "login" {
    result = { token = "t", tags = { x = "y" }, disks = [{ path = "/", free = 5 }] }
  }
  expect {
    acts = ["l on vm1", "l on vm2"]
  }
}

test "the tag is not there" {
  expect {
    acts       = ["l on vm1", "l on vm2"]
    stopped_by = "locals"
    says       = ["There is nothing under this key"]
  }
}
