locals {
  a = distinct("a") # ERROR: list required, but have string
}
