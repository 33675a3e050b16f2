locals {
  a = try(tonumber("x"), tonumber("y")) # ERROR: cannot convert "y" to number; given string must be a decimal representation of a number
}
