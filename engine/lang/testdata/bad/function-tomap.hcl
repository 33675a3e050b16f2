locals {
  a = tomap(["a"]) # ERROR: cannot convert tuple to map of any single type
}
