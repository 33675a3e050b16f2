check "ceil" {
  condition     = ceil(1.2) == 2
  error_message = "no"
}
