check "cidrsubnet" {
  condition     = cidrsubnet("10.0.0.0/8", 8, 2) == "10.2.0.0/16"
  error_message = "no"
}
