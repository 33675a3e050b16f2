play "p" {
  hosts = group.guests
  recover "r" {
    impact = self.name # ERROR: "impact" is evaluated when the playbook is loaded: it can name var only
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
