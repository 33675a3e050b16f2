locals {
  a = distinct("a") # ERROR: list of dynamic required, but have string
}
