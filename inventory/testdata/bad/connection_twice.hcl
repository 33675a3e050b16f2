host "a" {
  connection "ssh" { user = "u" }
  connection "local" {}                # ERROR: has a connection block at testdata/bad/connection_twice.hcl:2 already
  sudo {}
  sudo {}                              # ERROR: has a sudo block at testdata/bad/connection_twice.hcl:4 already
}
