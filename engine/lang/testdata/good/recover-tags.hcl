play "p" {
  hosts = group.guests
  recover "r" {
    tags = ["x"]
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
