locals {
  a = floor(true) # ERROR: number required, but have bool
}
