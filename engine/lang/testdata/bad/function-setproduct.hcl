locals {
  a = setproduct(["a"]) # ERROR: at least two arguments are required
}
