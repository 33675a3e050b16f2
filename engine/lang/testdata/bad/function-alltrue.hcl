locals {
  a = alltrue(["yes"]) # ERROR: a bool is required
}
