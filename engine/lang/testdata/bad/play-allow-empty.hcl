play "p" {
  hosts = group.guests
  allow_empty = "maybe" # ERROR: "allow_empty" must be a bool, not string
  probe "service" "a" {
    name = "x"
  }
}
