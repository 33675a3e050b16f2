check "filesha1" {
  condition     = filesha1("texts/motd.txt") == "19906b70dc1aef28b053d1deac6cdacc6184bd7e"
  error_message = "no"
}
