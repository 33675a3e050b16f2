locals {
  a = cidrsubnets("10.0.0.0/30", 2, 1, 1) # ERROR: Argument "bits" of cidrsubnets() does not fit: 10.0.0.0/30 has no room left for a subnet of /31
}
