play "p" {
  hosts = group.guests
  step "service" "a" {
    title  = "Start it"
    impact = "none"
    tags   = ["x", "y"]
    name   = "x"
  }
}
