check "tolist" {
  condition     = tolist(toset(["a"]))[0] == "a"
  error_message = "no"
}
