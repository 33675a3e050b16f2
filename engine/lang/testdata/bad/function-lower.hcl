locals {
  a = lower(null) # ERROR: argument must not be null
}
