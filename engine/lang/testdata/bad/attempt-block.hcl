play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      block "b" {
        step "reboot" "r" {}
        rescue {
          step "reboot" "s" {
            when = block.b.error.hots == self.name # ERROR: There is no attribute "hots" here. Did you mean "host"?
          }
        }
      }
    }
  }
}
