check "filemd5" {
  condition     = filemd5("texts/motd.txt") == "5ed6e45b8939afdb9e6ccf9ae137e9e9"
  error_message = "no"
}
