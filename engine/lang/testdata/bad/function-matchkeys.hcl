locals {
  a = matchkeys(["x", "y"], ["a"], ["b"]) # ERROR: as many keys as values are required
}
