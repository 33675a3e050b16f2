check "cidrsubnets" {
  condition     = cidrsubnets("10.1.0.0/16", 8, 4)[1] == "10.1.16.0/20"
  error_message = "no"
}
