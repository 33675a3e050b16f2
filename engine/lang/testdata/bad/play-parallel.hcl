play "p" {
  hosts = group.guests
  parallel = "many" # ERROR: "parallel" must be a whole number, 1 or more
  probe "service" "a" {
    name = "x"
  }
}
