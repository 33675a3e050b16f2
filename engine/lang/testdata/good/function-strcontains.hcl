check "strcontains" {
  condition     = strcontains("agent.conf", "t.c")
  error_message = "no"
}
