include "x" "y" { # ERROR: Not available in this version
}
play "p" {
  hosts  = group.guests
  window = "Sat" # ERROR: Not available in this version
  block "b" { # ERROR: Not available in this version
  }
  include "x" "y" { # ERROR: Not available in this version
  }
  step "service" "a" {
    for_each     = [1]  # ERROR: Not available in this version
    failed_when  = true # ERROR: Not available in this version
    changed_when = true # ERROR: Not available in this version
    name         = each.value # ERROR: "each" is a word of the language, but this version
    state        = "started"
  }
}
