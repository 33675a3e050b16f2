play "p" {
  hosts = group.guests
  step "login" "a" {
    user = "x"
    rule { # ERROR: Missing name for rule
      port = 1
    }
    rule "b" {
      port = self.rakc # ERROR: Did you mean "rack"?
      ports = 1        # ERROR: An argument named "ports" is not expected here.
    }
    ruel "c" {} # ERROR: Unsupported block type
    when {} # ERROR: Unsupported block type
  }
}
