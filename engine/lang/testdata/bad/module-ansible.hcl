play "p" {
  hosts = group.guests
  step "systemd" "a" { # ERROR: There is no module "systemd". The module "service" does that: dsplay doc service.
    name    = "x"
    enabled = true
  }
  step "win_service" "b" {} # ERROR: The module "service" does that
  step "ansible.builtin.service" "c" {} # ERROR: There is no module "ansible.builtin.service". Write "service".
  step "ansible.builtin.systemd_service" "d" {} # ERROR: The module "service" does that
  step "win_reboot" "e" {} # ERROR: The module "reboot" does that
  probe "community.vmware.vmware_guest_info" "f" {} # ERROR: The module "vm" does that
  step "yum" "g" {} # ERROR: No module does that yet: write "command" or "shell", and for a step a guard: creates, or unless.
  step "copy" "h" {} # ERROR: No module does that yet
  step "win_command" "i" {} # ERROR: No module does that yet
  probe "ping" "j" {} # ERROR: those that did not are in play.NAME.missing
  step "debug" "k" {} # ERROR: dsplay console evaluates expressions
  step "set_fact" "l" {} # ERROR: Write a locals block between two plays.
  step "pause" "m" {} # ERROR: Write retry { until = … }
  probe "setup" "n" {} # ERROR: Nothing is gathered unasked
  step "add_host" "o" {} # ERROR: Hosts stand in the inventory.
}
