play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
    when = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
  }
}
