check "dirname" {
  condition     = dirname("/etc/ds/agent.conf") == "/etc/ds"
  error_message = "no"
}
