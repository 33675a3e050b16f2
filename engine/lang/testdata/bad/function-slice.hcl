locals {
  a = slice(["a"], 0, 2) # ERROR: end index must not be greater than the length of the list
}
