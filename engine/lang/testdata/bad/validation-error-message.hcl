variable "a" {
  default = "x"
  validation {
    condition     = var.a != ""
    error_message = ["x"] # ERROR: "error_message" must be a string, not tuple
  }
}
check "c" {
  condition     = var.a == "x"
  error_message = "x"
}
