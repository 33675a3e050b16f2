locals {
  a = upper([]) # ERROR: string required, but have tuple
}
