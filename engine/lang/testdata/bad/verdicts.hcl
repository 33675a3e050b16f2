play "p" {
  hosts = group.guests
  step "service" "a" {
    name         = "x"
    state        = "started"
    failed_when  = result.runing     # ERROR: Did you mean "running"?
    changed_when = "yes"             # ERROR: "changed_when" must be a bool, not string.
    idempotent   = []                # ERROR: "idempotent"
    when         = result.running    # ERROR: it can be named in failed_when, changed_when and retry.until only.
  }
  probe "service" "b" {
    name         = "x"
    failed_when  = probe.b.running # ERROR: In retry.until it is called result.
    changed_when = result.running  # ERROR: Not allowed here: A probe changes nothing.
    idempotent   = true            # ERROR: Not allowed here: A probe changes nothing
    retry {
      on = ["timout"] # ERROR: Did you mean "timeout"?
    }
  }
  step "service" "c" {
    name        = "x"
    state       = "started"
    failed_when = secret("env:X") == "y" # ERROR: A secret cannot be used here
  }
}
