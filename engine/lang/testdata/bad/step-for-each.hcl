play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    for_each = [self.rakc] # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
  }
}
