locals {
  a = range("a") # ERROR: a number is required
}
