group "g" {
  connection "ssh" {
    key = "-----BEGIN PRIVATE KEY-----" # ERROR: "key" must be the path of a file, not the key itself
  }
}
host "a" {
  groups = ["g"]
  connection "ssh" { user = "u" }
}
