# Entries to include, given as a playbook: that is said once.
input "name" { # ERROR: It has inputs, and nothing says for which hosts.
  type = string
}
probe "service" "now" {
  name = input.name
}
output "runs" {
  value = probe.now.running
}
