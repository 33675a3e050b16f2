locals {
  a = filebase64sha256("none.txt") # ERROR: there is no file none.txt
}
