play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = null # ERROR: its value is null
    on   = []   # ERROR: "on" must be a string
  }
  step "vmware_tools" "b" {
    features = ["a", ["b"]] # ERROR: "features
    repair   = "maybe"      # ERROR: "repair" does not fit
  }
  probe "service" "c" {
    name  = "x"
    title = 5 + "x" # ERROR: a number is required
    when  = 1       # ERROR: "when" must be a bool, not number.
  }
}
