play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
    impact = local.x # ERROR: "impact" is evaluated when the playbook is loaded: it can name var only
  }
}
