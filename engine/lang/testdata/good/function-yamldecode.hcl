check "yamldecode" {
  condition     = yamldecode("a: [1, x]").a[1] == "x"
  error_message = "no"
}
