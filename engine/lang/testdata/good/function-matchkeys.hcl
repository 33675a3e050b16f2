check "matchkeys" {
  condition     = matchkeys(["x", "y"], ["a", "b"], ["b"])[0] == "y"
  error_message = "no"
}
