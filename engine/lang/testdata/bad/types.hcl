play "p" {
  hosts        = group.guests
  max_failures = 0
  probe "vm" "vm" {
    uuid = self.uuid
  }
}
locals {
  a = "5" + [1]                             # ERROR: Here a number is needed, and this is a tuple.
  b = !"x"                                  # ERROR: Here a bool is needed, and this is a string.
  c = [for g in play.p.hosts : g.probe.vm.found == "true"] # ERROR: Never equal: A bool never equals a string
  d = play.p.hosts == []                    # ERROR: Never equal: A list of object never equals a tuple written in brackets.
  e = "x${play.p.hosts}"                    # ERROR: This is a list of object, which cannot stand in a text.
  f = true ? 1 : [2]                        # ERROR: Both results must have one type
  g = [for x in 5 : x]                      # ERROR: A list, set, map or object is needed here, and this is a number.
  h = upper(play.p.hosts)                   # ERROR: Argument "str" of upper() does not fit
  i = uper("x")                             # ERROR: There is no function "uper". Did you mean "upper"?
  j = upper()                               # ERROR: Missing value for "str".
  k = upper("a", "b")                       # ERROR: expects only 1 argument
  l = [1, 2][2]                             # ERROR: There are 2 elements here; the first is [0].
  m = { a = 1 }.b                           # ERROR: There is no attribute "b" here.
  n = play.p.hosts["x"]                     # ERROR: A list of object needs a number as its key
  o = toset(["a"])[0]                       # ERROR: The elements of a set have no number or key.
  p = 5[0]                                  # ERROR: This is a number, which has no elements.
  q = { for g in play.p.hosts : g => 1 }    # ERROR: A key must be a string, and this is an object.
  r = [for x in play.p.hosts : x if x.name] # ERROR: Here a bool is needed, and this is a string.
  s = { a.b = 1 }                           # ERROR: Ambiguous key
  t = max("a"...)                           # ERROR: must be of a tuple, list, or set type
  u = regex("(", "x")                       # ERROR: regex
  v = length(5)                             # ERROR: a list, set, map, object or string is required
  w = [for x in [{ a = 1 }, { b = 1 }] : x.a] # ERROR: There is no attribute "a" here.
  x = "x".y                                 # ERROR: This is a string, which has no attributes.
  y = file("no such file")                  # ERROR: no such file
  z = 1 != null ? (2) : tonumber("x")       # ERROR: cannot convert "x" to number
  za = 1 != null ? 2 : file("no such file") # a file may be there where it is wanted
  zb = log(0, 2)                            # ERROR: log() has no finite result for these arguments.
  zc = 1 / 0                                # ERROR: This is always 0.
  zd = length(local.g) % (1 - 1)            # ERROR: This is always 0.
  ze = [for h in play.p.hosts : log(0, 2)]  # ERROR: log() has no finite result
  zf = try(tonumber("x"), [][5], null)
}
