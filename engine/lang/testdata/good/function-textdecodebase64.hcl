check "textdecodebase64" {
  condition     = textdecodebase64("SABpAA==", "UTF-16LE") == "Hi"
  error_message = "no"
}
