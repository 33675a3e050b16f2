locals {
  a = filebase64("none.txt") # ERROR: Argument "path" of filebase64() does not fit: there is no file none.txt
}
