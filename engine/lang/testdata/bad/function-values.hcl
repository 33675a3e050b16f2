locals {
  a = values("a") # ERROR: values() requires a map as the first argument
}
