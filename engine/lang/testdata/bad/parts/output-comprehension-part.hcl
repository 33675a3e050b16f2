probe "login" "l" {
  user = "x"
}
output "disks" {
  value = [for x in ["a"] : [for d in probe.l.disks : d.pth]] # ERROR: Did you mean "path"?
}
