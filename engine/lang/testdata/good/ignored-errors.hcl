# An ignored error is told, and what comes after can ask how it ended; its results are null.
play "p" {
  hosts        = group.guests
  max_failures = 2
  probe "service" "look" {
    name          = "x"
    ignore_errors = true
  }
  step "service" "start" {
    name          = "x"
    state         = "started"
    ignore_errors = true
  }
  step "reboot" "reboot" {
    when = step.start.status == "failed" && probe.look.status == "ok"
  }
  step "esxi_mux" "blind" {
    when = probe.look.status == "failed" && probe.look.running == null
  }
}
locals {
  failed = [for h in play.p.hosts : h.name if h.step.start.status == "failed"]
}
check "they count as ok" {
  severity      = "warning"
  condition     = length(local.failed) == 0
  error_message = "failed: ${join(", ", local.failed)}"
}
