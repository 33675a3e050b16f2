locals {
  a = secret(["env:X"]) # ERROR: Argument "source" of secret() does not fit: string required, but have tuple
}
play "p" {
  hosts = ["vm1"]
  step "login" "l" {
    user     = "x"
    password = secret("vault:x") # ERROR: A secret comes from "env:NAME", "file:PATH" or "credential:NAME".
  }
}
