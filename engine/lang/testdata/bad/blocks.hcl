hosts = [] # ERROR: There is no argument "hosts" at file level.
paly "p" { # ERROR: There is no block "paly" at file level. Did you mean "play"?
}
play { # ERROR: Missing label: It is written play "NAME" { … }.
  hosts = []
}
play "q" { # ERROR: Missing argument: play needs the argument "hosts".
  probe "service" { # ERROR: It is written probe "MODULE" "NAME" { … }.
    name = "x"
  }
  probe "service" "a b" { # ERROR: Name not allowed
    name = "x"
  }
  sudo {
    usr = "x" # ERROR: Did you mean "user"?
  }
  sudo {} # ERROR: Block given twice: There is one sudo already, at line 14.
}
playbook "x" { # ERROR: Too many labels
  descripton = "x" # ERROR: Did you mean "description"?
}
locals {
  x {} # ERROR: There is no block "x" in locals.
}
play "a b" { # ERROR: Name not allowed
  hosts = []
}
