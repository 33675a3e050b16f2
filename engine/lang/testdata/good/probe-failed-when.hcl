play "p" {
  hosts = group.guests
  probe "service" "a" {
    name        = "x"
    failed_when = !result.running && result.exists
  }
}
