play "p" {
  hosts = group.guests
  block "b" {
    step "reboot" "first" {}
    finally {
      recover "x" {
        goal {
          probe "service" "g" {
            name = "x"
          }
          condition = probe.g.running
        }
        attempt "t" {
          step "reboot" "y" {}
        }
      }
    }
  }
}
