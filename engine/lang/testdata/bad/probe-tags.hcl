play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
    tags = "x" # ERROR: "tags" must be a list of string, not string
  }
}
