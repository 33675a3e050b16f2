# Numbers and texts of one attribute become texts, tuples lists, objects with different attributes maps.
host "a" {
  port  = 22
  disks = []
  rack  = { row = 1 }
  none  = null
}
host "b" {
  port  = "ssh"
  disks = ["sda", "sdb"]
  rack  = { row = 2, slot = 3 }
}
