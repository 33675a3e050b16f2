variable "unused" { # WARNING: Unused variable: Nothing names var.unused.
  default = 1
}
variable "validated" { # WARNING: Nothing names var.validated.
  default = 1
  validation {
    condition     = var.validated > 0
    error_message = "x"
  }
}
play "counted" {
  hosts        = group.guests
  max_failures = "10%"
  probe "service" "a" {
    name = "x"
  }
}
play "asked" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
  }
}
play "silent" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
  }
}
check "c" {
  condition     = length(play.counted.hosts) > 0 && length(play.asked.hosts) > length(play.asked.missing)
  error_message = "${length(play.silent.hosts)}" # WARNING: Silent hosts are not counted
}
