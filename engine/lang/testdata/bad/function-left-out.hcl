locals {
  a = timestamp() # ERROR: Terraform's timestamp() is left out. It gives something else at each call
}
