play "p" {
  hosts = group.guests
  block { # ERROR: Missing label
  }
  block "empty" { # ERROR: Empty block
  }
  block "order" {
    finally {
      step "reboot" "late" {}
    }
    rescue { # ERROR: Wrong order
      step "reboot" "back" {}
    }
    step "reboot" "first" {} # ERROR: Wrong order
  }
  block "twice" {
    step "reboot" "one" {}
    rescue {
      step "reboot" "one" {} # ERROR: Name given twice
    }
    rescue { # ERROR: Block given twice
    }
  }
  block "names" {
    always { # ERROR: Write block "NAME" { … finally { … } }.
    }
    parallel = 1 # ERROR: There is no argument "parallel" in block.
    step "reboot" "x" {
      when = block.names.failed # ERROR: It comes later
    }
    rescue {
      when = true # ERROR: There is no argument "when" in rescue.
      step "reboot" "y" {
        when = block.names.error.knd == "lost" # ERROR: Did you mean "kind"?
      }
      step "reboot" "z" {
        when = block.nmaes.failed # ERROR: Play "p" has no block "nmaes".
      }
    }
  }
  rescue { # ERROR: There is no block "rescue" in play.
  }
  recover "r" {
    goal {
      condition = true
      block "g" { # ERROR: There is no block "block" in goal.
      }
    }
    attempt "a" {
      block "b" {
        recover "no" { # ERROR: There is no block "recover" in block.
        }
        step "reboot" "in" {}
      }
    }
  }
  block "names" { # ERROR: Name given twice
    step "reboot" "second" {}
  }
}
check "c" {
  condition     = block.names.failed # ERROR: No host here
  error_message = "x"
}
