locals {
  a = count("a", "a") # ERROR: a list, set or tuple is required
}
