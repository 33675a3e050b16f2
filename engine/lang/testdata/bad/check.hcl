check "a" { # ERROR: check needs the argument "error_message".
  condition = true
}
check "b" {
  condition     = 1        # ERROR: "condition" must be a bool, not number.
  error_message = []       # ERROR: "error_message" must be a string
  severity      = "notice" # ERROR: "severity" must be "error" or "warning".
  when          = true     # ERROR: There is no argument "when" in check.
}
check { # ERROR: It is written check "NAME"
}
