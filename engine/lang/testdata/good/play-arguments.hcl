variable "share" {
  default = "25%"
}
locals {
  some = slice(sort(group.guests), 0, 1)
}
play "a" {
  hosts        = ["vm1", "vm2"]
  title        = "A play of ${upper("a")}"
  tags         = ["x", "y"]
  batch        = [1, var.share, "100%"]
  parallel     = 4
  max_failures = var.share
  allow_empty  = true
  probe "service" "s" {
    name = "x"
    tags = ["z"]
  }
}
play "b" {
  hosts        = concat(local.some, group.empty, ["localhost"])
  batch        = 2
  max_failures = 0
  probe "service" "s" {
    name = "x"
  }
}
play "c" {
  hosts = var.share == "25%" ? group.guests : []
}
play "d" {
  hosts = toset([for n in group.guests : n if n != "vm1"])
}
play "e" {
  hosts = [for n in ["vm1"] : "${n}"]
}
