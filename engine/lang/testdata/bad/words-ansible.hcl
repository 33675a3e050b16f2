handlers { # ERROR: A word of another language: There is no block "handlers" at file level. Write when = step.NAME.changed
}
vars { # ERROR: Write variable and locals blocks
}
play "p" {
  hosts        = group.guests
  gather_facts = false # ERROR: Nothing is gathered unasked
  serial       = 1     # ERROR: Write batch =
  become       = true  # ERROR: Write sudo {}
  sudo         = true  # ERROR: It is a block: There is no argument "sudo" in play. Write a block, sudo {}
  step "service" "a" {
    name        = "x"
    state       = "started"
    notify      = "restart" # ERROR: Write when = step.NAME.changed
    register    = "out"     # ERROR: read it as probe.NAME or step.NAME
    run_once    = true      # ERROR: hosts = ["localhost"]
    delegate_to = "vc1"     # ERROR: Write on =
    become_user = "root"    # ERROR: Write sudo {}
    with_items  = [1]       # ERROR: Write for_each
    loop        = [1]       # ERROR: Write for_each
    until       = true      # ERROR: Write retry
    sudo        = true      # ERROR: Write a block, sudo {}
    retry       = 3         # ERROR: Write a block, with an argument a line
  }
  handler "h" { # ERROR: A word of another language
  }
  tasks { # ERROR: Entries stand in the play itself.
  }
  check "c" {
    condition     = inventory_hostname == "x" # ERROR: Write self.name.
    error_message = hostvars["x"]             # ERROR: Write host["NAME"].
    any_errors_fatal = true                   # ERROR: Write max_failures = 0.
  }
}
resource "a" "b" {} # ERROR: Write step "MODULE" "NAME".
