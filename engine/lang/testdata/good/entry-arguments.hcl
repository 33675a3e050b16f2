play "p" {
  hosts = group.guests
  sudo {
    user = "root"
  }
  probe "service" "a" {
    title         = "Is it there?"
    impact        = "none"
    on            = self.esxi == null ? self.name : self.esxi
    when          = self.vcenter != null && self.rack == null
    name          = "svc-${lower(self.name)}"
    timeout       = "1m30s"
    ignore_errors = true
    retry {
      attempts = 5
      delay    = "10s"
      backoff  = 1.5
      on       = ["timeout", "refused"]
      until    = result.running || result.pid != null
    }
    sudo {
      user     = "svc"
      password = secret("env:NOBODY_SETS_THIS")
      method   = "sudo"
      tty      = false
    }
  }
  step "service" "b" {
    when  = probe.a.status == "ok" && !probe.a.running
    name  = "x"
    state = "started"
    note  = probe.a.pid == null ? "no pid" : "pid ${probe.a.pid}"
  }
  step "login" "c" {
    when = step.b.changed
    user = "root"
    rule "ssh" {
      port = 22
    }
    rule "web" {
      port = self.rack == null ? 80 : self.rack
    }
  }
  check "done" {
    when          = step.b.status != "skipped"
    condition     = step.b.running
    error_message = "${self.name} at ${self.address} in ${join(", ", self.groups)}: ${step.b.status}"
    severity      = "warning"
    tags          = ["x"]
  }
}
