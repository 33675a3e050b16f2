variable "pin" {
  type      = string
  default   = "1234"
  sensitive = true
}
locals {
  password = secret("env:NOBODY_SETS_THIS")
  accounts = { ops = { user = "ops", password = local.password } }
  users    = [for k, a in local.accounts : a.user]
  names    = keys(local.accounts)
  many     = length(local.accounts) > 1
}
check "names are no secret" {
  condition     = contains(local.users, "ops") && !local.many && length(local.names) == 1
  error_message = "who? ${join(", ", local.users)}"
}
play "p" {
  hosts = group.guests
  step "login" "a" {
    user     = local.accounts.ops.user
    password = "${local.accounts["ops"].password}${var.pin}"
    rule "r" {
      port = 22
    }
  }
}
