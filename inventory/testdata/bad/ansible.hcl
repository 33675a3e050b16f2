group "g" {
  ansible_user            = "root" # ERROR: connection "ssh" { … }: user =
  ansible_become_password = "x"    # ERROR: Write sudo {}
}
host "h" {
  ansible_host                 = "192.0.2.1"          # ERROR: "ansible_host" does nothing here. Write address =
  ansible_port                 = 2222                 # ERROR: port =
  ansible_ssh_private_key_file = "~/.ssh/id_ed25519"  # ERROR: key =
  ansible_password             = "x"                  # ERROR: password = secret("env:NAME")
  ansible_connection           = "winrm"              # ERROR: connection "winrm"
  ansible_python_interpreter   = "/usr/bin/python3"   # ERROR: leave it out
  ansible_ssh_common_args      = "-o ProxyJump=x"     # ERROR: jump
  ansible_winrm_transport      = "ntlm"               # ERROR: auth = "ntlm"
  ansible_of_our_own           = "an attribute like any other"
}
