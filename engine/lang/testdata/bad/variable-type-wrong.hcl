variable "a" {
  default = "x"
  type = text # ERROR: The keyword "text" is not a valid type specification
}
check "c" {
  condition     = var.a != null
  error_message = "x"
}
