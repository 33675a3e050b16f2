variable "a" {
  type    = list(string)
  default = { x = 1 } # ERROR: default: the value of "a" is no list(string)
}
variable "b" {
  type    = strng # ERROR: Invalid type specification
  default = "x"
}
variable "c" {
  type    = object({ x = number, y = optional(string, "z") })
  default = { y = "y" } # ERROR: attribute "x" is required
}
variable "d" {
  type     = string
  default  = null # ERROR: must not be null (nullable = false)
  nullable = false
}
variable "e" {
  default = var.a # ERROR: Not known yet
  colour  = "red" # ERROR: There is no argument "colour" in variable.
}
variable "e" { # ERROR: Name given twice: The variable "e" is declared at line 18, too.
  default = 1
}
variable "f" "g" { # ERROR: Too many labels
  default = 1
}
variable "1x" { # ERROR: Name not allowed
  default = 1
}
check "c" {
  condition     = length([var.a, var.b, var.c, var.d, var.e]) == 5
  error_message = "x"
}
