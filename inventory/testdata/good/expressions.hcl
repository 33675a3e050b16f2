host "a" {
  address = cidrhost("192.0.2.0/24", 10)
  vlans   = [for n in range(3) : 100 + n]
  note    = upper("rack ${1 + 6}")
}
