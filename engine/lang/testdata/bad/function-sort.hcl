locals {
  a = sort("ba") # ERROR: list of string required, but have string
}
