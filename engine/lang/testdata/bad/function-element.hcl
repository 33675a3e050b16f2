locals {
  a = element([], 0) # ERROR: cannot use element function with an empty list
}
