play "p" {
  hosts = group.guests
  step "login" "a" {
    user     = "x"
    password = secret("env:NOBODY_SETS_THIS")
  }
}
