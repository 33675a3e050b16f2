locals {
  a = setintersection("a", ["a"]) # ERROR: set of dynamic required, but have string
}
