locals {
  objects = [{ a = 1, b = { c = "x" } }, { a = 2, b = { c = "y" } }]
  mixed   = [{ a = 1 }, { b = 2 }]
  named   = { one = { port = 1 }, two = { port = 2 } }
  x1 = [for o in local.objects : o.b.d]                     # ERROR: There is no attribute "d" here.
  x2 = [for o in local.mixed : o.b]                         # ERROR: There is no attribute "b" here.
  x3 = { for k, o in local.named : k => o.prot }            # ERROR: Did you mean "port"?
  x4 = local.named.three                                    # ERROR: There is no attribute "three" here.
  x5 = local.named["three"]                                 # ERROR: There is no attribute "three" here.
  x6 = [for k, o in local.named : [for i, c in [o] : c.x]]  # ERROR: There is no attribute "x" here.
  x7 = { for o in local.objects : o.a => o... }["1"][0].z   # ERROR: There is no attribute "z" here.
  x8 = [for o in local.objects : o if o.a > 1 && o.c]       # ERROR: There is no attribute "c" here.
  x9 = merge(local.named.one, { name = "n" }).nam           # ERROR: Did you mean "name"?
  y1 = element(local.objects, 0).e                          # ERROR: There is no attribute "e" here.
  y2 = jsondecode("{\"a\": 1}").b                           # ERROR: There is no attribute "b" here.
  y3 = jsondecode("{")                                      # ERROR: jsondecode
}
