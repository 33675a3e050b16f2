# What is executed must be known in a plan; another argument may wait.
play "noted" {
  hosts = group.guests
  step "service" "first" {
    name = "x"
  }
  step "service" "noted" {
    name = "y"
    note = "first was ${step.first.status}"
  }
}
play "named" {
  hosts        = group.guests
  step "service" "first" {
    name = "x"
  }
  step "service" "named" {
    name = "x-${step.first.status}"
  }
}
