check "chunklist" {
  condition     = length(chunklist(["a", "b", "c"], 2)) == 2
  error_message = "no"
}
