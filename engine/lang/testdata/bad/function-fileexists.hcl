locals {
  a = fileexists("") # ERROR: the path is empty
}
