group "guests" {
  connection "guest" {
    vcenter = "vc2" # ERROR: No host "vc2" is declared
    jump    = "found"
  }
}
host "g1" { groups = ["guests"] }
host "g2" {
  connection "guest" { vcenter = "vc1" }
}
host "vc1" {
  connection "https" {}
}
source "estate" "s" { from = "vc1" }
