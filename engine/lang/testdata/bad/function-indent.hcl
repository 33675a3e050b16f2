locals {
  a = indent("two", "a") # ERROR: a number is required
}
