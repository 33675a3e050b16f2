play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    impact = local.x # ERROR: "impact" is evaluated when the playbook is loaded: it can name var only
  }
}
