play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    retry {
      delay = "soon" # ERROR: "soon" is no duration; write it like "90s", "1h30m" or "7d"
    }
  }
}
