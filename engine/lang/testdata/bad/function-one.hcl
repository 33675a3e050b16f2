locals {
  a = one(["a", "b"]) # ERROR: a list, set or tuple with at most one element is required
}
