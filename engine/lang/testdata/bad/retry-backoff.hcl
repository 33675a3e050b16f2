play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    retry {
      backoff = "double" # ERROR: "backoff" does not fit: a number is required
    }
  }
}
