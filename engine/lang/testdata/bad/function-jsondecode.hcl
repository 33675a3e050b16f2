locals {
  a = jsondecode("{") # ERROR: EOF
}
