play "p" {
  hosts = group.guests
  step "service" "a" {
    name          = "x"
    ignore_errors = true
    retry {
      attempts = 2
      until    = result.running
    }
  }
}
