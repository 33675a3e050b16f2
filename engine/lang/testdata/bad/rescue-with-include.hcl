play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      include "../good/parts/restart.hcl" "x" {
        servcie = "x" # ERROR: There is no argument "servcie" in include of ../good/parts/restart.hcl. Did you mean "service"?
        service = "x"
      }
    }
  }
}
