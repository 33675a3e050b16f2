check "pow" {
  condition     = pow(2, 10) == 1024
  error_message = "no"
}
