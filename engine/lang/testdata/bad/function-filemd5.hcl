locals {
  a = filemd5("none.txt") # ERROR: there is no file none.txt
}
