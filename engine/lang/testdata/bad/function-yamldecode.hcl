locals {
  a = yamldecode("[1") # ERROR: Argument "text" of yamldecode() does not fit: on line 1
}
