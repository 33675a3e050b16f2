locals {
  a = length(true) # ERROR: a list, set, map, object or string is required, not a bool
}
