check "concat" {
  condition     = length(concat(["a"], ["b", "c"])) == 3
  error_message = "no"
}
