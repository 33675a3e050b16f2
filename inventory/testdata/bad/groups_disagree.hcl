group "tokyo" { ntp = "192.0.2.1" }    # ERROR: The group "tokyo" (testdata/bad/groups_disagree.hcl:1) and the group "web" (testdata/bad/groups_disagree.hcl:2) disagree about the attribute "ntp"
group "web" { ntp = "192.0.2.2" }
group "osaka" { ntp = "192.0.2.2" }
host "a" { groups = ["tokyo", "web"] }
host "b" { groups = ["web", "tokyo"] }
host "c" { groups = ["osaka", "web"] } # the same value is no disagreement
host "d" {
  groups = ["tokyo", "web"]
  ntp    = "192.0.2.3"
}
