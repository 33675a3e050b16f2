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
        pdi = 1 # ERROR: There is no argument "pdi"
        pid = 1
      }
    }
  }
}
