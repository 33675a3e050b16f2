locals {
  a = setsubtract(["a"], "a") # ERROR: set of dynamic required, but have string
}
