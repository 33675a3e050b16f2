locals {
  a = keys(["a"]) # ERROR: must have map or object type
}
