# A part in an attempt gives what its own entries left.
play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "goal" {
        name = "x"
      }
      condition = probe.goal.running
    }
    attempt "one" {
      include "parts/restart.hcl" "i" {
        service = "x"
      }
    }
  }
}
