check "sha512" {
  condition     = startswith(sha512(""), "cf83e1357eefb8bd")
  error_message = "no"
}
