locals {
  a = max() # ERROR: must pass at least one number
}
