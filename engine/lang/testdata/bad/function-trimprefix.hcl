locals {
  a = trimprefix([], "vm-") # ERROR: string required, but have tuple
}
