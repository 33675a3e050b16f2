play "p" {
  hosts = group.guests
  max_failures = "many" # ERROR: "max_failures" must be a whole number or a percentage like "25%", at least 0
  probe "service" "a" {
    name = "x"
  }
}
