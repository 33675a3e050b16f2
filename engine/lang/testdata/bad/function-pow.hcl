locals {
  a = pow(2, "ten") # ERROR: a number is required
}
