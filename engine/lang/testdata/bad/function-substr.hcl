locals {
  a = substr("agent", "one", 3) # ERROR: a number is required
}
