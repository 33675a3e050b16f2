play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    sudo {
      method = [] # ERROR: "method" does not fit: string required, but have tuple
    }
  }
}
