play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    sudo {
      tty = [] # ERROR: "tty" does not fit: bool required, but have tuple
    }
  }
}
