play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
  }
  step "reboot" "last" {
    when = block.b.error.txt == "x" # ERROR: There is no attribute "txt" here. Did you mean "text"?
  }
}
