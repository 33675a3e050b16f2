locals {
  a = abs("five") # ERROR: a number is required
}
