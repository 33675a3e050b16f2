locals {
  a = toset("a") # ERROR: cannot convert string to set of any single type
}
