variable "state" {
  default = "strated"
}
play "p" {
  hosts = group.guests
  step "service" "a" {
    name  = "x"
    state = "strated" # ERROR: must be one of started, stopped, restarted. Did you mean "started"?
  }
  step "service" "b" {
    name  = "/etc/x" # ERROR: Wrong value: name must be a name and not a path.
    state = "started"
  }
  step "service" "c" {
    name  = "x"
    state = var.state # ERROR: must be one of started
  }
}
