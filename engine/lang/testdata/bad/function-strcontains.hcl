locals {
  a = strcontains(["a"], "a") # ERROR: string required, but have tuple
}
