locals {
  a = base64decode("%") # ERROR: this is no Base64
}
