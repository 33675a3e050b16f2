locals {
  a = base64decode("%") # ERROR: this is not Base64
}
