locals {
  a = yamlencode("a", "b") # ERROR: Function "yamlencode" expects only 1 argument
}
