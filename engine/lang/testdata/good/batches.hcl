# Batches are of the hosts sorted by name; percentages round up; the last size repeats; without max_failures none may fail.
play "careful" {
  hosts = group.guests
  batch = [1, "30%"]
  step "service" "restart" {
    name  = "x"
    state = "restarted"
  }
}
play "bold" {
  hosts        = group.guests
  batch        = 2
  max_failures = "30%"
  step "esxi_mux" "mux" {}
}
play "everywhere" {
  hosts = group.guests
  step "reboot" "reboot" {}
}
