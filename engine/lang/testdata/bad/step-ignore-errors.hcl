play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    ignore_errors = "often" # ERROR: "ignore_errors" does not fit: a bool is required
  }
}
