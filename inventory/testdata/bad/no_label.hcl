host {}                                # ERROR: A host block has the name of the host in quotes
group "a" "b" {}                       # ERROR: A group block has the name of the group in quotes
source "estate" {}                     # ERROR: its kind and its name
host "h" {
  connection {                         # ERROR: its type in quotes
    user = "u"
  }
  sudo "root" {}                       # ERROR: no label in quotes
}
