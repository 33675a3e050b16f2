locals {
  a = setintersection("a", ["a"]) # ERROR: set required, but have string
}
