locals {
  a = coalesce(null, null) # ERROR: no argument that is neither null nor an empty string
}
