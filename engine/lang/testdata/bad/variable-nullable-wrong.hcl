variable "a" {
  default = "x"
  nullable = "no" # ERROR: "nullable" must be a bool, not string
}
check "c" {
  condition     = var.a != null
  error_message = "x"
}
