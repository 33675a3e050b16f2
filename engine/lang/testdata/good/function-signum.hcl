check "signum" {
  condition     = signum(-7) == -1
  error_message = "no"
}
