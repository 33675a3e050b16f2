play "p" {
  hosts = group.guests
  block "b" {
    impact = self.name # ERROR: "impact" is evaluated when the playbook is loaded: it can name var only
    step "reboot" "r" {}
  }
}
