variable "a" {
  default = "x"
  validation {
    condition     = self.name == "x" # ERROR: "validation" is evaluated when the playbook is loaded: it can name var only
    error_message = "x"
  }
}
check "c" {
  condition     = var.a == "x"
  error_message = "x"
}
