locals {
  a = join(", ", "a") # ERROR: list of string required, but have string
}
