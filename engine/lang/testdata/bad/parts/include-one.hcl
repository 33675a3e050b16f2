x = 1      # ERROR: at file level of a part
locals {   # ERROR: There is no block "locals" at file level of a part.
}
input "number" {
  type   = number
  nubmer = 1 # ERROR: There is no argument "nubmer" in input.
}
input "text" {
  type    = string
  default = [] # ERROR: Wrong type: The default is no string
}
input "number" { # ERROR: Name given twice
}
input "when" { # ERROR: Name not allowed
}
probe "service" "inner" {
  name = "${var.v} ${local.x} ${input.nothing}" # ERROR: Not visible in a part # ERROR: Not visible in a part # ERROR: Unknown input
  note = input # ERROR: Incomplete reference
}
output "running" {
  value = probe.inner.running
}
output "wrong" {
  value = probe.inner.runing # ERROR: Did you mean "running"?
}
output "running" { # ERROR: Name given twice
  value = 1
}
output "none" { # ERROR: output needs the argument "value".
}
