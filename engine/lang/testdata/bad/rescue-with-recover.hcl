play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    rescue {
      recover "x" {
        goal {
          probe "service" "g" {
            name = "x"
          }
          condition = probe.g.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
        }
        attempt "t" {
          step "reboot" "y" {}
        }
      }
    }
  }
}
