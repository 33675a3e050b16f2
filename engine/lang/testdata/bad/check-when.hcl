play "p" {
  hosts = group.guests
  check "c" {
    condition = true
    error_message = "x"
    when = self.rakc == 1 # ERROR: There is no attribute "rakc" here. Did you mean "rack"?
  }
}
