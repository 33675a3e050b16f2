play "p" {
  hosts = group.guests
  recover "r" {
    tags = "x" # ERROR: "tags" must be a list of string, not string
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      step "reboot" "r" {}
    }
  }
}
