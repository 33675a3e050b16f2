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
      probe "service" "look" {
        name = probe.now.nmae # ERROR: There is no attribute "nmae" here
      }
    }
  }
}
