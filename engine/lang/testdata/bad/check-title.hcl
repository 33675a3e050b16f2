play "p" {
  hosts = group.guests
  check "c" {
    condition = true
    error_message = "x"
    title = self.name # ERROR: "title" is evaluated when the playbook is loaded: it can name var only
  }
}
