check "lookup" {
  condition     = lookup({ a = "x" }, "b", "y") == "y"
  error_message = "no"
}
