playbook {
  description = "Let the agents that run report to their manager now"
}

play "report" {
  hosts = group.dsva
  probe "service" "agent" {
    name = "ds_agent"
  }
  step "command" "heartbeat" {
    when    = probe.agent.running
    argv    = ["/opt/ds_agent/dsa_control", "-m"]
    timeout = "2m"
    sudo {}
  }
}
