check "toset" {
  condition     = length(toset(["a", "a"])) == 1
  error_message = "no"
}
