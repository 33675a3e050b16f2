# Blocks within a connection are taken as a whole from the nearest that has them.
group "far" {
  connection "ssh" {
    user = "u"
    jump "gate1" { user = "j" }
    jump "gate2" {}
  }
}
host "a" { groups = ["far"] }
host "b" {
  groups = ["far"]
  connection "ssh" {
    jump "gate3" {}
  }
}
