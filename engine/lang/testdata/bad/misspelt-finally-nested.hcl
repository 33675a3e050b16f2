play "p" {
  hosts = group.guests
  block "b" {
    step "service" "s" {
      name = "x"
    }
    finally {
      step "reboot" "r" {
        when = anytrue([for x in [step.s] : anytrue([for y in [x] : y.runing])]) # ERROR: There is no attribute "runing" here. Did you mean "running"?
      }
    }
  }
}
