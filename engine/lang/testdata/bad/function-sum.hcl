locals {
  a = sum([]) # ERROR: an empty list has no sum
}
