play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    title = self.name # ERROR: "title" is evaluated when the playbook is loaded: it can name var only
  }
}
