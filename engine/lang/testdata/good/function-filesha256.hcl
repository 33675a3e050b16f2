check "filesha256" {
  condition     = filesha256("texts/motd.txt") == sha256(file("texts/motd.txt"))
  error_message = "no"
}
