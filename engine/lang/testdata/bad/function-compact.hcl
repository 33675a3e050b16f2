locals {
  a = compact("a") # ERROR: list of string required, but have string
}
