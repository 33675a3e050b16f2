host "a" {}                            # ERROR: is declared at testdata/bad/folder/a.hcl:1, too
host "b" {
  groups = ["g"]
  rack   = "x"                         # ERROR: but of type list for the group "g" (testdata/bad/folder/a.hcl:2)
}
