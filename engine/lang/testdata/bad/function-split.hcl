locals {
  a = split(",", ["a"]) # ERROR: string required, but have tuple
}
