play "p" {
  hosts = group.guests
  step "service" "a" {
    name = "x"
    retry {
      on = ["lots"] # ERROR: "lots" is no kind of error; known are [dns refused timeout hostkey auth tls protocol lost exit check module busy eval] Did you mean "lost"?
    }
  }
}
