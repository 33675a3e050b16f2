play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
    finally {
      step "reboot" "r" {
        when = block.b.error.kid == "exit" # ERROR: There is no attribute "kid" here. Did you mean "kind"?
      }
    }
  }
}
