play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    retry {
      attempts = "some" # ERROR: "attempts" does not fit: a number is required
    }
  }
}
