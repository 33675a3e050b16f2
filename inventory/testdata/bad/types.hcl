host "a" { disks = ["sda"] }
host "b" { disks = "sda" }             # ERROR: The attribute "disks" is of type string for the host "b", but of type list for the host "a" (testdata/bad/types.hcl:1)
