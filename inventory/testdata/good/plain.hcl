host "a" {
  address = "192.0.2.1"
  esxi    = "esx1"
  ports   = [22, 443]
  tags    = { rack = "7", row = "b" }
}
host "b" {
  esxi  = null
  ports = [22]
}
