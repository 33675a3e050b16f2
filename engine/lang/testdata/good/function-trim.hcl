check "trim" {
  condition     = trim("--a--", "-") == "a"
  error_message = "no"
}
