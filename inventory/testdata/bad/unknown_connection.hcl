host "a" {
  connection "shs" {}                  # ERROR: There is no connection "shs". Did you mean "ssh"? Known are https, local, ssh.
}
