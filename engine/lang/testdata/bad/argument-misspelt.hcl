play "p" {
  hosts = group.guests
  step "service" "a" {
    name  = "x"
    staet = "started" # ERROR: Did you mean "state"?
  }
  probe "service" "b" {} # ERROR: Missing required argument: The argument "name" is required
  play_hosts = 1 # ERROR: There is no argument "play_hosts" in play.
}
