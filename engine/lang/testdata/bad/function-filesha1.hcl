locals {
  a = filesha1("none.txt") # ERROR: there is no file none.txt
}
