play "p" {
  hosts        = group.guests
  batch        = [1, "x%"]  # ERROR: "batch" must be a whole number or a percentage like "25%", at least 1.
  parallel     = 0          # ERROR: "parallel" must be a whole number, 1 or more.
  max_failures = "-1"       # ERROR: "max_failures" must be
  allow_empty  = "perhaps"  # ERROR: "allow_empty" must be a bool, not string.
  title        = self.name  # ERROR: Not known yet: "title" is evaluated when the playbook is loaded
  probe "service" "a" {
    name    = "x"
    timeout = "1 hour" # ERROR: "1 hour" is no duration
    tags    = "x"      # ERROR: "tags" must be a list of string, not string.
    ignore_errors = [] # ERROR: does not fit
    retry {
      attempts = 0       # ERROR: "attempts" counts every execution
      until    = result.runing # ERROR: Did you mean "running"?
    }
  }
  probe "service" "b" {
    name = "x"
    retry {
      on    = ["conection"] # ERROR: "conection" is no kind of error
      tries = 3             # ERROR: There is no argument "tries" in retry.
      until = probe.b.running # ERROR: In retry.until it is called result.
    }
    retry {} # ERROR: Block given twice
  }
  probe "service" "c" {
    name    = "x"
    timeout = 10 # ERROR: "10" is no duration
    when    = "yes" # ERROR: "when" must be a bool, not string.
    retry {
      delay   = "soon" # ERROR: "soon" is no duration
    }
    retries = 3 # ERROR: A word of another language
  }
}
