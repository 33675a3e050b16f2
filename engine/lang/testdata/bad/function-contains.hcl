locals {
  a = contains("ab", "b") # ERROR: a list, set or tuple is required
}
