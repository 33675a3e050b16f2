check "base64sha256" {
  condition     = base64sha256("hello world") == "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="
  error_message = "no"
}
