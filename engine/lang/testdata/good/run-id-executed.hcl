# What is executed must be known in a plan, and run.id never is.
play "p" {
  hosts        = group.guests
  max_failures = 1
  step "service" "a" {
    when = self.name == "vm1"
    name = "x-${run.id}"
  }
  step "reboot" "b" {}
}
