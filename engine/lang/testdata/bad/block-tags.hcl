play "p" {
  hosts = group.guests
  block "b" {
    tags = "x" # ERROR: "tags" must be a list of string, not string
    step "reboot" "r" {}
  }
}
