check "anytrue" {
  condition     = anytrue([false, true]) && !anytrue([])
  error_message = "no"
}
