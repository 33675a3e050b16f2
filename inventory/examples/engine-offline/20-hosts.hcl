host "vc1" {
  address = "vc1.corp.example"
  connection "https" {
    kind     = "vsphere"
    user     = "ops@corp.example"
    password = secret("file:~/.secrets/vcenter")
    ca       = "/etc/pki/corp-ca.pem"
  }
}

host "dsm1" {
  address = "dsm1.corp.example"
  connection "https" {
    kind    = "dsm"
    api_key = secret("file:~/.secrets/dsm")
    ca      = "/etc/pki/corp-ca.pem"
  }
}

host "esx1.corp.example" {
  groups = ["esxi"]
  dsva   = "dsva1"                     # the appliance on this ESXi host: play "case_b" restarts its agent
}

host "esx2.corp.example" {
  groups = ["esxi"]
  dsva   = "dsva2"
}

host "dsva1" {
  address = "198.51.100.11"
  groups  = ["dsva"]
}

host "dsva2" {
  address = "198.51.100.12"
  groups  = ["dsva_old"]
}
