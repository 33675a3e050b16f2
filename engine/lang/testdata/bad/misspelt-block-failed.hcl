play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
  }
  step "reboot" "last" {
    when = block.b.faild # ERROR: There is no attribute "faild" here. Did you mean "failed"?
  }
}
