probe "login" "l" {
  user = "x"
}
output "disks" {
  value = [for d in probe.l.disks : { free = d.free }]
}
