check "chomp" {
  condition     = chomp("a\n\n") == "a"
  error_message = "no"
}
