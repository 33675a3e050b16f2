check "filebase64" {
  condition     = filebase64("texts/motd.txt") == "SGVsbG8gJHtuYW1lfQo="
  error_message = "no"
}
