play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
  }
  step "reboot" "last" {
    when = block.c.failed # ERROR: Play "p" has no block "c". Did you mean "b"?
  }
}
