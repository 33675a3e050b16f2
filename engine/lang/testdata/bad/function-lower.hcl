locals {
  a = lower(null) # ERROR: it must not be null
}
