variable "a" {
  default = "x"
  sensitive = "yes" # ERROR: "sensitive" must be a bool, not string
}
check "c" {
  condition     = var.a != null
  error_message = "x"
}
