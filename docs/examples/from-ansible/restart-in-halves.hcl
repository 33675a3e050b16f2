playbook {
  description = "Restart the agents of the appliances, half of them at a time"
}

play "agents" {
  hosts = group.dsva
  batch = "50%"
  step "service" "restart" {
    name  = "ds_agent"
    state = "restarted"
    sudo {}
  }
}
