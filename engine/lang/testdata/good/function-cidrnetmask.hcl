check "cidrnetmask" {
  condition     = cidrnetmask("10.0.0.0/20") == "255.255.240.0"
  error_message = "no"
}
