locals {
  a = parseint("fg", 16) # ERROR: cannot parse "fg" as a base 16 integer
}
