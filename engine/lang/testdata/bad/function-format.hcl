locals {
  a = format("%d", "x") # ERROR: unsupported value for "%d" at 0: a number is required
}
