play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition     = probe.now.running
      error_message = ["x"] # ERROR: "error_message" must be a string, not tuple
    }
    attempt "one" {
      step "reboot" "r" {}
    }
  }
}
