play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
    on = self.vcentre # ERROR: There is no attribute "vcentre" here. Did you mean "vcenter"?
  }
}
