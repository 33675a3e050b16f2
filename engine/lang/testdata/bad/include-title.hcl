play "p" {
  hosts = group.guests
  include "../good/parts/restart.hcl" "a" {
    service = "x"
    title = self.name # ERROR: "title" is evaluated when the playbook is loaded: it can name var only
  }
}
