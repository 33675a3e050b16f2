locals {
  a = 1
}
locals {
  a = 2 # ERROR: Name given twice: local.a is declared at line 2, too.
}
play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = "x"
  }
  step "service" "a" {
    name = "a step may have the name of a probe"
  }
  recover "r" {
    goal {
      probe "service" "a" { # ERROR: In play "p" another probe has this name, at line 9.
        name = "x"
      }
      condition = true
    }
    attempt "one" {
      step "service" "a" { # ERROR: another step has this name
        name = "x"
      }
    }
    attempt "one" { # ERROR: another attempt has this name
      step "reboot" "b" {}
    }
  }
  check "c" {
    condition     = true
    error_message = "x"
  }
  check "c" { # ERROR: another check has this name
    condition     = true
    error_message = "x"
  }
}
play "p" { # ERROR: Play "p" is declared at line 7, too.
  hosts = []
}
