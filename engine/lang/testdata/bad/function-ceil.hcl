locals {
  a = ceil([1]) # ERROR: number required, but have tuple
}
