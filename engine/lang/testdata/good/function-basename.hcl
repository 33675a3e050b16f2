check "basename" {
  condition     = basename("/etc/ds/agent.conf") == "agent.conf"
  error_message = "no"
}
