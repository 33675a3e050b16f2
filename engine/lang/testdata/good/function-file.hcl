check "file" {
  condition     = startswith(file("texts/motd.txt"), "Hello")
  error_message = "no"
}
