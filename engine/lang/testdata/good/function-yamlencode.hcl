check "yamlencode" {
  condition     = yamlencode(["x", 1]) == "- \"x\"\n- 1\n"
  error_message = "no"
}
