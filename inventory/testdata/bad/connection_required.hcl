group "g" {
  connection "ssh" {                   # ERROR: The argument "user" is required
    port = 22
  }
}
host "a" { groups = ["g"] }
host "b" { groups = ["g"] }
host "c" {
  connection "ssh" {}                  # ERROR: The argument "user" is required
}
host "d" {
  connection "ssh" {
    user = null                        # ERROR: its value is null
  }
}
