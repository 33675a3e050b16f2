locals {
  a = anytrue(true) # ERROR: list of bool required, but have bool
}
