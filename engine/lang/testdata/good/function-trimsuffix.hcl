check "trimsuffix" {
  condition     = trimsuffix("a.conf", ".conf") == "a"
  error_message = "no"
}
