locals {
  a = setsubtract(["a"], "a") # ERROR: set required, but have string
}
