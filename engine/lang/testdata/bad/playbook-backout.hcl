playbook {
  backout = self.name # ERROR: "backout" is evaluated when the playbook is loaded: it can name var only
}
