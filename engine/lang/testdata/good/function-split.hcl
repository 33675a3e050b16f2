check "split" {
  condition     = split(",", "a,b")[1] == "b"
  error_message = "no"
}
