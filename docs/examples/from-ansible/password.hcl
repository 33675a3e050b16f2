playbook {
  description = "Give the appliances' user dsva a new password"
}

play "password" {
  hosts = group.dsva
  batch = [1, "25%"]
  step "command" "change" {
    argv  = ["/usr/sbin/chpasswd"]
    stdin = "dsva:${secret("env:DSVA_NEW_PASSWORD")}\n"
    sudo {}
  }
}
