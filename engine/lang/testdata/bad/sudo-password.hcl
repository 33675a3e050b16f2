play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    sudo {
      password = self.pasword # ERROR: There is no attribute "pasword" here. No host of the inventory has the attribute "pasword"
    }
  }
}
