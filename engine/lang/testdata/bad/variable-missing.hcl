variable "a" { # ERROR: Variable without a value: "a" has no default. Give it a value with --var a=…
  type = string
}
variable "unused" { # WARNING: Unused variable: Nothing names var.unused.
  default = 1
}
check "c" {
  condition     = var.a == var.b # ERROR: No variable "b" is declared.
  error_message = "${var.aa}"    # ERROR: No variable "aa" is declared. Did you mean "a"?
}
