check "setunion" {
  condition     = length(setunion(["a"], ["a", "b"])) == 2
  error_message = "no"
}
