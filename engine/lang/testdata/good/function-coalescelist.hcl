check "coalescelist" {
  condition     = coalescelist([], ["a"])[0] == "a"
  error_message = "no"
}
