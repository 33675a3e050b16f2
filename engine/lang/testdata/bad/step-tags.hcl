play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    tags = "x" # ERROR: "tags" must be a list of string, not string
  }
}
