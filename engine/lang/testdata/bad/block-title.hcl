play "p" {
  hosts = group.guests
  block "b" {
    title = self.name # ERROR: "title" is evaluated when the playbook is loaded: it can name var only
    step "reboot" "r" {}
  }
}
