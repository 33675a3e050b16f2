# What a source will add is known as a type before it is asked.
group "guests" {}
host "vc1" {
  connection "https" { kind = "vsphere" }
}
source "estate" "vc1" {
  from   = "vc1"
  groups = { guests = "guests" }
}
source "estate" "without uuids" {
  from  = "localhost"
  uuids = false
}
