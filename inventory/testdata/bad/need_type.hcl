group "direct" {
  connection "ssh" { user = "ops" }
}
host "jump" { groups = ["direct"] }
host "mute" {}
host "g1" {
  connection "guest" {
    vcenter = "jump" # ERROR: The host "jump" has a connection of type "ssh"; "vcenter" must name one with a connection of type "https".
    jump    = "jump"
  }
}
host "g2" {
  connection "guest" {
    vcenter = "mute" # ERROR: The host "mute" has no connection
  }
}
host "g3" {
  connection "guest" {
    vcenter = "localhost" # ERROR: The host "localhost" has a connection of type "local"
  }
}
