locals {
  a = flatten("a") # ERROR: can only flatten lists, sets and tuples
}
