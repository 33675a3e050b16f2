locals {
  a = contains("ab", "b") # ERROR: argument must be list, tuple, or set
}
