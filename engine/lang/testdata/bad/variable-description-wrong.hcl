variable "a" {
  default = "x"
  description = ["x"] # ERROR: "description" must be a string, not tuple
}
check "c" {
  condition     = var.a != null
  error_message = "x"
}
