check "indent" {
  condition     = indent(2, "a\nb") == "a\n  b"
  error_message = "no"
}
