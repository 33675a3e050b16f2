locals {
  a = tonumber("five") # ERROR: cannot convert "five" to number; given string must be a decimal representation of a number
}
