locals {
  a = chunklist(["a"], "two") # ERROR: a number is required
}
