play "p" {
  hosts = group.guests
  tags = "x" # ERROR: "tags" must be a list of string, not string
  probe "service" "a" {
    name = "x"
  }
}
