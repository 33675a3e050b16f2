locals {
  a = trimspace(["a"]) # ERROR: string required, but have tuple
}
