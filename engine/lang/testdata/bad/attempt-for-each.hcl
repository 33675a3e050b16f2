play "p" {
  hosts = group.guests
  recover "r" {
    goal {
      probe "service" "now" {
        name = "x"
      }
      condition = probe.now.running
    }
    attempt "one" {
      step "service" "s" {
        for_each = ["a"]
        name     = each.key
      }
      step "reboot" "r" {
        when = anytrue([for k, r in step.s : r.chagned]) # ERROR: There is no attribute "chagned" here. Did you mean "changed"?
      }
    }
  }
}
