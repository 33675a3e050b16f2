# Outside of its window a play begins no host; planning only looks, so it is not held up.
play "night" {
  hosts  = group.guests
  window = "Mon-Fri 22:00-02:00 UTC"
  step "service" "restart" {
    name  = "x"
    state = "restarted"
  }
}
play "day" {
  hosts  = group.guests
  window = "Mon 08:00-10:00 UTC"
  step "reboot" "reboot" {}
}
