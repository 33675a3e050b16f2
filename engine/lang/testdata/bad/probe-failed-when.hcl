play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
    failed_when = result.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
  }
}
