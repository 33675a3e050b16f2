check "distinct" {
  condition     = length(distinct(["a", "b", "a"])) == 2
  error_message = "no"
}
