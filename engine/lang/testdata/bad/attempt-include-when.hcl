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
      include "../good/parts/nested/wait.hcl" "i" {
        when = probe.now.runing # ERROR: There is no attribute "runing" here. Did you mean "running"?
        pid  = 1
      }
    }
  }
}
