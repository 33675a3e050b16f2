check "transpose" {
  condition     = transpose({ a = ["x", "y"] })["y"][0] == "a"
  error_message = "no"
}
