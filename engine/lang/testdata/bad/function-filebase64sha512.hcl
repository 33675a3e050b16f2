locals {
  a = filebase64sha512("none.txt") # ERROR: there is no file none.txt
}
