play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    changed_when = result.changd # ERROR: There is no attribute "changd" here
  }
}
