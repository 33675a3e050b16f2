# The hosts of the playbooks beside this file. The lab's inventory has a group of the same name: they run there, too.

group "dsva" {
  connection "ssh" {
    user = "dsva"
    key  = "~/.ssh/id_ed25519"
  }
  sudo {
    password = secret("env:DSVA_SUDO")
  }
}

host "dsva1" {
  address = "198.51.100.11"
  groups  = ["dsva"]
}

host "dsva2" {
  address = "198.51.100.12"
  groups  = ["dsva"]
}

host "dsva3" {
  address = "198.51.100.13"
  groups  = ["dsva"]
}

host "dsva4" {
  address = "198.51.100.14"
  groups  = ["dsva"]
}
