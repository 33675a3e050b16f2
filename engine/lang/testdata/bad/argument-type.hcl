play "p" {
  hosts = group.guests
  probe "service" "a" {
    name = self.disks # ERROR: "name" does not fit
  }
  probe "ds_computers" "b" {
    bios_uuids = self.bios_uuid # ERROR: "bios_uuids" does not fit
  }
  probe "ds_computers" "c" {
    bios_uuids = probe.a # ERROR: "bios_uuids" does not fit
  }
  step "login" "d" {
    user    = "x"
    retries = probe.a.running # ERROR: "retries" does not fit
    rule "r" {
      port = [1] # ERROR: "port" does not fit
    }
  }
}
