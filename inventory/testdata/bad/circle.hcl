group "behind" {
  connection "guest" {
    vcenter = "vc1"
    jump    = "one"
  }
}
host "one" { groups = ["behind"] } # ERROR: leads in a circle: one → one
host "two" { groups = ["behind"] }
host "a" { # ERROR: leads in a circle: a → b → a
  connection "guest" {
    vcenter = "vc1"
    jump    = "b"
  }
}
host "b" {
  connection "guest" {
    vcenter = "vc1"
    jump    = "a"
  }
}
host "vc1" {
  connection "https" {}
}
