locals {
  a = strrev("abc", 1) # ERROR: Function "strrev" expects only 1 argument(s)
}
