locals {
  a = cidrnetmask("10.0.0.0/33") # ERROR: a prefix like 192.0.2.0/24 is required
}
