check "md5" {
  condition     = md5("") == "d41d8cd98f00b204e9800998ecf8427e"
  error_message = "no"
}
