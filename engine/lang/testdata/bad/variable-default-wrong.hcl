variable "a" {
  default = local.x # ERROR: "default" cannot name anything: it is needed before the values of variables are known
}
check "c" {
  condition     = var.a != null
  error_message = "x"
}
