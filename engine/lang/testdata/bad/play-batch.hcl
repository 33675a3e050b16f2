play "p" {
  hosts = group.guests
  batch = "half" # ERROR: "batch" must be a whole number or a percentage like "25%", at least 1
  probe "service" "a" {
    name = "x"
  }
}
