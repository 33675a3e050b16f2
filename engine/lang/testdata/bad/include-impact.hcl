play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "a" {
    service = "x"
    impact = self.name # ERROR: "impact" is evaluated when the playbook is loaded: it can name var only
  }
}
