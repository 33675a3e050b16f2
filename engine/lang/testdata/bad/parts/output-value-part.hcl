probe "service" "now" {
  name = "x"
}
output "a" {
  value = probe.now.runing # ERROR: Did you mean "running"?
}
