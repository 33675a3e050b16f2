locals {
  a = filesha512("none.txt") # ERROR: there is no file none.txt
}
