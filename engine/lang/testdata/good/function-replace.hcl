check "replace" {
  condition     = replace("a-b-c", "-", "/") == "a/b/c" && replace("a1b2", "/[0-9]/", "") == "ab"
  error_message = "no"
}
