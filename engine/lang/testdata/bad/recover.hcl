play "p" {
  hosts = group.guests
  recover "a" { # ERROR: Goal missing
    attempt "x" { # ERROR: Empty attempt
    }
  }
  recover "b" { # ERROR: Attempt missing
    goal { # ERROR: Missing argument: goal needs the argument "condition".
      within = "0s" # ERROR: "within" must be longer than nothing.
      every  = "x"
      step "service" "s" { # ERROR: There is no block "step" in goal.
        name = "x"
      }
    }
  }
  recover "c" {
    goal {
      probe "service" "now" {
        when = true # ERROR: A probe of a goal is always asked.
        name = "x"
      }
      condition = probe.now.pid # ERROR: "condition" must be a bool, not number.
    }
    goal { # ERROR: Block given twice
      condition = true
    }
    attempt { # ERROR: It is written attempt "NAME" { … }.
    }
    attempt "x" {
      title = "x" # ERROR: There is no argument "title" in attempt.
      recover "d" { # ERROR: There is no block "recover" in attempt.
      }
      step "reboot" "r" {}
    }
    every = "1s" # ERROR: There is no argument "every" in recover.
  }
}
