# How the machines of an estate are reached, and what they have in common.
# Nothing secret stands here: secret() names where each secret is.

group "all" {
  vcenter = "vc1"                      # asked about a guest or an ESXi host
  dsm     = "dsm1"                     # asked about its anti-malware engine
}

group "esxi" {
  connection "ssh" {
    user = "root"
    key  = "~/.ssh/id_esxi"
  }
}

group "dsva" {
  connection "ssh" {
    user = "dsva"
    key  = "~/.ssh/id_ed25519"
  }
  sudo {
    password = secret("env:DSVA_SUDO")
  }
}

group "dsva_old" {                     # appliances of before 2015
  groups = ["dsva"]
  connection "ssh" {                   # user and key are those of dsva
    legacy_algorithms = true
  }
}

group "guests" {
  connection "winrm" {
    user     = "CORP\\ops"
    password = secret("file:~/.secrets/ops")
  }
}
