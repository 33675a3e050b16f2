check "filebase64sha256" {
  condition     = filebase64sha256("texts/motd.txt") == "/ZZX821nMu4+rOk+LL2mvHV16F8pBEGH1FgSdCWXd8U="
  error_message = "no"
}
