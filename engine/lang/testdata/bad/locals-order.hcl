locals {
  b = local.a + 1 # ERROR: local.a stands at line 3.
  a = 1
}
locals "x" { # ERROR: Too many labels
  c = local.d # ERROR: local.d stands at line 9.
}
locals {
  d = local.c
  e = local # the whole object holds what stands above
  f = local.e.g # ERROR: There is no attribute "g" here.
}
