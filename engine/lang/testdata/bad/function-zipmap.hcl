locals {
  a = zipmap(["a", "b"], [1]) # ERROR: number of keys (2) does not match number of values (1)
}
