play "p" {
  hosts = group.guests
  recover "r" {
    title = self.name # ERROR: "title" is evaluated when the playbook is loaded: it can name var only
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
