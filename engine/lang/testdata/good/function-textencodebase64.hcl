check "textencodebase64" {
  condition     = textencodebase64("Hi", "UTF-16LE") == "SABpAA=="
  error_message = "no"
}
