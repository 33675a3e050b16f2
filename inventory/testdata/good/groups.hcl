# Parent before child, child before host; "all" above everything; null takes away.
group "all" {
  site = "hq"
  ntp  = "192.0.2.1"
  dns  = "192.0.2.53"
}
group "tokyo" {
  site = "tokyo"
  ntp  = "192.0.2.2"
}
group "rack7" {
  groups = ["tokyo"]
  ntp    = "192.0.2.3"
}
group "empty" { groups = ["rack7"] }
host "a" { groups = ["rack7"] }
host "b" {
  groups = ["tokyo", "tokyo", "rack7"]
  site   = "b"
}
host "c" {
  ntp = null
}
