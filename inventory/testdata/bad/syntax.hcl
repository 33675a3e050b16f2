host "a" {
  address =                            # ERROR: Invalid expression
}
host "a" {}                            # not reported: first the syntax must be right
