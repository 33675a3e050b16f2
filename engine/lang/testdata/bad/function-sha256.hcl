locals {
  a = sha256(null) # ERROR: it must not be null
}
