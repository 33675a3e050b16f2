variable "a" {
  type     = string
  default  = "x"
  nullable = false
}
check "c" {
  condition     = var.a == "x"
  error_message = "x"
}
