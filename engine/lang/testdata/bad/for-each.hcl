locals {
  x = each.key # ERROR: No item here: each is the item of a for_each
}
play "p" {
  hosts = group.guests
  step "service" "numbers" {
    for_each = [1] # ERROR: "for_each" takes a map, or a set or list of strings, not tuple.
    name     = each.value
    state    = "started"
  }
  step "service" "text" {
    for_each = "a" # ERROR: "for_each" takes a map
    name     = "x"
  }
  step "service" "list" {
    for_each = { a = { port = 1 } }
    name     = each.value.prot # ERROR: Did you mean "port"?
    note     = each.vlaue      # ERROR: Did you mean "value"?
    state    = "started"
  }
  step "service" "none" {
    name = each.key # ERROR: No item here
  }
  step "service" "self" {
    for_each = [each.key] # ERROR: No item here
    name     = "x"
  }
  step "service" "secret" {
    for_each = { a = secret("env:X") } # ERROR: "for_each" decides what is done, and is shown
    name     = each.key
  }
  probe "service" "two" {
    for_each = ["a", "b"]
    name     = each.key
  }
  step "reboot" "one" {
    when = probe.two.running # ERROR: probe.two has for_each: it is a map of results by key. Write probe.two["KEY"].running
  }
  step "reboot" "key" {
    when = probe.two["a"].runing # ERROR: Did you mean "running"?
  }
  step "reboot" "loop" {
    when = anytrue([for r in probe.two : r.rnuning]) # ERROR: Did you mean "running"?
  }
  recover "r" {
    for_each = ["a"] # ERROR: There is no argument "for_each" in recover.
    goal {
      probe "service" "g" {
        for_each = [true] # ERROR: "for_each" takes
        name     = "x"
      }
      condition = probe.g["x"].running
    }
    attempt "a" {
      step "reboot" "now" {}
    }
  }
}
