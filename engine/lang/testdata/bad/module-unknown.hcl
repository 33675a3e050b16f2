play "p" {
  hosts = group.guests
  probe "servcie" "a" { # ERROR: Unknown module: There is no module "servcie". Did you mean "service"?
    name = self.vcentre # ERROR: There is no attribute "vcentre" here. Did you mean "vcenter"?
  }
  check "c" {
    condition     = probe.a.anything
    error_message = "what an unknown module gives is not known"
  }
}
