play "p" {
  hosts        = group.guests
  max_failures = 1
  probe "login" "l" {
    user = "x"
  }
  check "c" {
    condition     = probe.l.disks[0].fre > 0 # ERROR: Did you mean "free"?
    error_message = probe.l.disks.path       # ERROR: Read path of every element with [*].path
  }
  check "d" {
    condition     = alltrue([for d in probe.l.disks : d.free > d.pth]) # ERROR: There is no attribute "pth" here. Did you mean "path"?
    error_message = probe.l.token # the token is a secret only when there is one
  }
}
