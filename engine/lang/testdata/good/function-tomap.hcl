check "tomap" {
  condition     = tomap({ a = "x" })["a"] == "x"
  error_message = "no"
}
