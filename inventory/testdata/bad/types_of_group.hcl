group "g" {
  rack = { row = 1 }
}
host "a" {
  rack = 7                             # ERROR: The attribute "rack" is of type number for the host "a", but of type object for the group "g" (testdata/bad/types_of_group.hcl:2)
}
