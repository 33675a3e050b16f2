locals {
  a = index(["a", "b"], "c") # ERROR: the value is not in the list
}
