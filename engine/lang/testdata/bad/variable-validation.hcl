variable "a" {
  type    = string
  default = "x y"
  validation {
    condition     = can(regex("^[a-z]+$", var.a)) # ERROR: Variable not valid: its default: a must be one word, not x y
    error_message = "must be one word, not ${var.a}"
  }
  validation { # ERROR: Missing argument: validation needs the argument "error_message".
    condition = true
  }
  validation {
    condition     = local.x == 1 # ERROR: Not known yet
    error_message = "x"
  }
  validation {
    condition     = length(var.a) # ERROR: A condition must be a bool, not number.
    error_message = "x"
  }
  validation {
    condition     = var.a > 3 # ERROR: a number is required
    error_message = "x"
  }
}
check "c" {
  condition     = var.a != ""
  error_message = "x"
}
