play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    sudo {
      user = self.usr # ERROR: There is no attribute "usr" here. No host of the inventory has the attribute "usr"
    }
  }
}
