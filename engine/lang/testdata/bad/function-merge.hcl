locals {
  a = merge({ port = 1 }, { b = 2 }).prot # ERROR: There is no attribute "prot" here. Did you mean "port"?
}
