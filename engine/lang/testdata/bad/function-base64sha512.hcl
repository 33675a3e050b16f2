locals {
  a = base64sha512(null) # ERROR: it must not be null
}
