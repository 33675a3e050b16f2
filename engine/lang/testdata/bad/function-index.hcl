locals {
  a = index(["a", "b"], "c") # ERROR: it is not in the list
}
