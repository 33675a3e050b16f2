group "a" {
  connection "ssh" {                   # ERROR: disagree about the type of the connection
    user = "u"                         # ERROR: disagree about user
    port = 22
  }
  sudo { user = "root" }               # ERROR: disagree about user
}
group "b" {
  connection "local" {}
}
group "c" {
  connection "ssh" {
    user = "v"
    port = 11 * 2
  }
  sudo { user = "admin" }
}
host "x" { groups = ["a", "b"] }
host "y" { groups = ["a", "c"] }
