check "sort" {
  condition     = sort(["b", "a"])[0] == "a"
  error_message = "no"
}
