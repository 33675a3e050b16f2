locals {
  number   = 1 + 2 * 3 - 4 / 2 % 3
  text     = <<-EOT
    several
    lines of ${local.number}
  EOT
  truth    = !false && (true || false) && 1 < 2 && "a" != "b"
  tuple    = [1, "two", true, null]
  object   = { a = 1, "b c" = 2, (upper("d")) = 3 }
  nested   = { list = [{ x = 1 }, { x = 2 }], map = { k = { y = "z" } } }
  element  = local.nested.list[1].x + local.tuple[0] + local.object.a + local.object["b c"]
  key      = "a"
  by_key   = local.object[local.key]
  choice   = local.truth ? local.nested.list[0] : { x = 5 }
  absent   = local.truth ? null : "x"
  lists    = local.truth ? ["a"] : []
  empty    = [for x in [] : x]
  indexed  = [for i, x in ["a", "b"] : "${i}${x}"]
  objects  = { for o in local.nested.list : "n${o.x}" => o }
  grouped  = { for x in ["a", "b", "aa"] : substr(x, 0, 1) => x... }
  deep     = [for k, v in local.grouped : [for x in v : "${k}-${x}"]]
  splat    = local.nested.list[*].x
  single   = local.nested.map.k[*].y
  decoded  = jsondecode("{\"a\": [1, {\"b\": null}]}")
  b        = local.decoded.a[1].b
  tried    = try(local.decoded.nothing, "fallback")
  possible = can(tonumber("x"))
  parsed   = regex("^(?P<first>[a-z]+)-(?P<second>[0-9]+)$", "ab-12").second
  set      = toset(["a", "b", "a"])
  from_set = [for x in local.set : upper(x)]
  escaped  = "$${not} %%{this}"
  size     = length(local.grouped)
}
check "c" {
  condition     = local.element == 6 && local.by_key == 1 && length(local.set) == 2 && local.size == 2
  error_message = local.text
}
