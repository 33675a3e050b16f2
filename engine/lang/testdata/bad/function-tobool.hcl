locals {
  a = tobool("yes") # ERROR: cannot convert "yes" to bool; only the strings "true" or "false" are allowed
}
