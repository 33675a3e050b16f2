play "p" {
  hosts = group.guests
  title = self.name # ERROR: "title" is evaluated when the playbook is loaded: it can name var only
  probe "service" "a" {
    name = "x"
  }
}
