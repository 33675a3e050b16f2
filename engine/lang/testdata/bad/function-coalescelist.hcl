locals {
  a = coalescelist("a") # ERROR: coalescelist arguments must be lists or tuples
}
