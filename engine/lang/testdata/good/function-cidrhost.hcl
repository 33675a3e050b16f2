check "cidrhost" {
  condition     = cidrhost("10.0.0.0/8", 5) == "10.0.0.5" && cidrhost("10.0.0.0/24", -1) == "10.0.0.255"
  error_message = "no"
}
