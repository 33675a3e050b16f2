locals {
  a = can(local.absent) # ERROR: No local "absent" is declared
}
