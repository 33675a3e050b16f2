check "flatten" {
  condition     = length(flatten([["a"], [["b"], "c"]])) == 3
  error_message = "no"
}
