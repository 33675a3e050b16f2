host "a" {
  ip = cidrhst("192.0.2.0/24", 1)      # ERROR: Did you mean "cidrhost"?
  no = cidrhost("192.0.2.0/24", 256)   # ERROR: no host with this number
}
