check "filebase64sha512" {
  condition     = startswith(filebase64sha512("texts/motd.txt"), "iC9aBVsVipjD")
  error_message = "no"
}
