play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    idempotent = "yes" # ERROR: "idempotent" does not fit: a bool is required
  }
}
