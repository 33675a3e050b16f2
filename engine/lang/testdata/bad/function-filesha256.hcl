locals {
  a = filesha256("none.txt") # ERROR: there is no file none.txt
}
