locals {
  register = 1
  loop     = { serial = 2, notify = [3] }
}
play "handlers" {
  hosts = group.guests
  probe "service" "register" {
    name = "notify"
  }
  check "serial" {
    condition     = probe.register.exists && local.loop.serial == 2 && local.register == 1
    error_message = "become"
  }
}
