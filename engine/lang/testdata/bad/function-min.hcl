locals {
  a = min([1, 2]) # ERROR: number required, but have tuple
}
