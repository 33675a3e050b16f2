locals {
  a = sha256(null) # ERROR: argument must not be null
}
