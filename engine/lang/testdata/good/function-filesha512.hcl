check "filesha512" {
  condition     = filesha512("texts/motd.txt") == sha512(file("texts/motd.txt"))
  error_message = "no"
}
