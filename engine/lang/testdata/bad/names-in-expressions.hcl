check "c" {
  condition     = self.name == "x" # ERROR: self is of one host in one play. Here, read the hosts of an earlier play
  error_message = running          # ERROR: There is no "running" here. A text stands in quotes.
}
locals {
  a = loacl.b                     # ERROR: Did you mean "local"?
  b = local.bb                    # ERROR: No local "bb" is declared.
  c = play.x.hosts                # ERROR: There is no play "x" before this.
  d = play                        # ERROR: Write play.NAME.hosts or play.NAME.missing.
  e = probe.x                     # ERROR: probe is of one host in one play.
  f = [for self in [1] : self]    # ERROR: "self" has a meaning of its own
  g = run.user                    # ERROR: There is no attribute "user" here.
  h = result                      # ERROR: No result here
  i = item.x                      # ERROR: Write each.value
  j = input.x                     # ERROR: No input here
}
play "p" {
  hosts = [self.name] # ERROR: self is of one host in one play.
  check "d" {
    condition     = result # ERROR: No result here
    error_message = "x"
  }
}
