group "dsva" {
  sudo { password = secret("env:DSPLAY_TEST_PW") }
}
group "strict" {
  groups = ["dsva"]
  sudo { user = "operator" }
}
host "a" { groups = ["dsva"] }
host "b" { groups = ["strict"] }
host "c" {
  groups = ["strict"]
  sudo {
    user   = "root"
    method = "sudo"
  }
}
host "d" {}
