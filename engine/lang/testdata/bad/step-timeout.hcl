play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    timeout = "1 hour" # ERROR: "1 hour" is no duration; write it like "90s", "1h30m" or "7d"
  }
}
