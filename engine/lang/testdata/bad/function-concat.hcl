locals {
  a = concat(["a"], "b") # ERROR: all arguments must be lists or tuples; got string
}
