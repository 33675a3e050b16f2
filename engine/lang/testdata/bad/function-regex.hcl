locals {
  a = regex("[0-9]+", "vm") # ERROR: pattern did not match any part of the given string
}
