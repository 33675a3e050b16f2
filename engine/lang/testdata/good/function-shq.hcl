check "shq" {
  condition     = shq("a b") == "'a b'"
  error_message = "no"
}
