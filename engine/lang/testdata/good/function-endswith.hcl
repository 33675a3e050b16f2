check "endswith" {
  condition     = endswith("agent.conf", ".conf")
  error_message = "no"
}
