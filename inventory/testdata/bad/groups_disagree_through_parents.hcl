group "site" { ntp = "192.0.2.1" }
group "tokyo" {
  groups = ["site"]
  ntp    = "192.0.2.2"               
}
group "web" { ntp = "192.0.2.3" }    # ERROR: and the group "tokyo" (testdata/bad/groups_disagree_through_parents.hcl:4) disagree about the attribute "ntp"
group "front" { groups = ["web"] }
host "a" { groups = ["front", "tokyo"] }
