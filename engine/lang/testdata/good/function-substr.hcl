check "substr" {
  condition     = substr("agent", 1, 3) == "gen"
  error_message = "no"
}
