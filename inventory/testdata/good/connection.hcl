# defaults < all < parent < child < host, argument by argument
group "all" {
  connection "ssh" {
    user      = "nobody"
    host_keys = "accept-new"
  }
}
group "dsva" {
  connection "ssh" {
    user     = "dsva"
    password = secret("env:DSPLAY_TEST_PW")
  }
}
group "old" {
  groups = ["dsva"]
  connection "ssh" {
    port = 2222
  }
}
host "plain" {}
host "dsva1" { groups = ["dsva"] }
host "dsva2" { groups = ["old"] }
host "dsva3" {
  groups = ["old"]
  connection "ssh" {
    user     = "root"
    port     = null                    # the transport's default again
    password = "in the file"
  }
}
host "vc1" {
  connection "https" {                 # another type: nothing of ssh is left
    kind     = "vsphere"
    password = secret("env:DSPLAY_TEST_PW")
  }
}
