check "fileexists" {
  condition     = fileexists("texts/motd.txt") && !fileexists("texts/none.txt")
  error_message = "no"
}
