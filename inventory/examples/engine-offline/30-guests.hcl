# The guests, written one by one. An estate with a vCenter has a source instead:
#
#   source "vsphere" "vc1" {
#     from   = "vc1"
#     groups = { guests = "guests", esxi = "esxi" }
#   }
#
# Both can be mixed: what is written here then wins for this host.

host "web1" {
  address   = "198.51.100.101"
  groups    = ["guests"]
  esxi      = "esx1.corp.example"
  uuid      = "421e1137-5c49-56e4-246d-9bf7637e69f5"
  bios_uuid = "421e1137-5c49-56e4-246d-9bf7637e69f5"
}

host "web2" {
  address   = "198.51.100.102"
  groups    = ["guests"]
  esxi      = "esx2.corp.example"
  uuid      = "421e1137-5c49-56e4-246d-9bf7637e69f6"
  bios_uuid = "421e1137-5c49-56e4-246d-9bf7637e69f6"
  connection "winrm" {                 # its administrator's password differs
    user     = "Administrator"
    password = secret("file:~/.secrets/web2")
  }
}
