locals {
  a = cidrsubnet("10.0.0.0/30", 8, 2) # ERROR: 10.0.0.0/30 cannot be made longer by 8 bits
}
