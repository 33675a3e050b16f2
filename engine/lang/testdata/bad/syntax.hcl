play "p" {
  hosts = [group.guests
  probe "service" "a" { # ERROR: Missing item separator
    name = "x"
  }
}
