play "p" {
  hosts = group.guests
  sudo {
    user = probe.a.status # ERROR: It comes later
  }
  probe "service" "a" {
    name = "x"
    sudo "x" { # ERROR: Too many labels
      password = 5
      user     = self.disks # ERROR: "user" does not fit
      shell    = "bash"     # ERROR: shell
    }
  }
  probe "service" "b" {
    name = "x"
    sudo {
      user = secret("env:NOBODY_SETS_THIS") # ERROR: "user" takes no secret
    }
  }
}
