locals {
  a = transpose(["a"]) # ERROR: map of list of string required
}
