include "parts/include-one.hcl" "y" { # ERROR: There is no block "include" at file level.
}
variable "v" {
  default = 1
}
play "p" {
  hosts = group.guests
  include "parts/nowhere.hcl" "a" { # ERROR: File not readable
  }
  include "parts/include-cycle.hcl" "b" {
  }
  include "parts/include-one.hcl" "c" { # ERROR: Input missing: parts/include-one.hcl needs the input "number".
    nubmer = var.v # ERROR: Did you mean "number"?
    retry { # ERROR: There is no block "retry" in include.
    }
  }
  include "parts/include-one.hcl" "d" {
    number = ["x"] # ERROR: "number" must be a number, not tuple
    when   = self.rack # ERROR: "when" must be a bool
  }
  include "parts/include-one.hcl" { # ERROR: Missing label
  }
  include "parts/include-one.hcl" "d" { # ERROR: Name given twice
    number = 1
  }
  step "reboot" "r" {
    when = include.d.rnuning # ERROR: Did you mean "running"?
  }
  step "reboot" "s" {
    when = include.e.running # ERROR: Play "p" has no include "e".
  }
  step "reboot" "t" {
    when = probe.inner.running # ERROR: Play "p" has no probe "inner".
  }
  step "reboot" "u" {
    when = include.later.running # ERROR: It comes later
  }
  include "parts/include-one.hcl" "later" {
    number = input.x # ERROR: No input here
  }
}
