play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
      within = "long" # ERROR: "long" is no duration; write it like "90s", "1h30m" or "7d"
    }
    attempt "one" {
      step "reboot" "r" {}
    }
  }
}
