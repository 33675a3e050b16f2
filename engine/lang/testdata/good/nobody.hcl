# A play without hosts does nothing; a run in which no play had one says so, unless a play allows that.
variable "empty" {
  type    = bool
  default = false
}
play "p" {
  hosts       = [for n in group.guests : n if n == "nobody"]
  allow_empty = var.empty
  step "reboot" "reboot" {}
}
