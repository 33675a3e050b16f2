check "one" {
  condition     = one(["a"]) == "a" && one([]) == null
  error_message = "no"
}
