playbook {
  description = self.name # ERROR: "description" is evaluated when the playbook is loaded: it can name var only
}
