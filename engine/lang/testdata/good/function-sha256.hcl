check "sha256" {
  condition     = startswith(sha256(""), "e3b0c44298fc1c14")
  error_message = "no"
}
