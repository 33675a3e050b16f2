locals {
  a = regexall("[", "vm") # ERROR: invalid regexp pattern: missing closing ] in [
}
