locals {
  a = tolist("a") # ERROR: cannot convert string to list of any single type
}
