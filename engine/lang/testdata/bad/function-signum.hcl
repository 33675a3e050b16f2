locals {
  a = signum("minus") # ERROR: a number is required
}
