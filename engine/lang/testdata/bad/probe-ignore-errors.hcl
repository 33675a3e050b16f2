play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
    ignore_errors = "often" # ERROR: "ignore_errors" does not fit: a bool is required
  }
}
