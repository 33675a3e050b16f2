check "startswith" {
  condition     = startswith("agent.conf", "agent")
  error_message = "no"
}
