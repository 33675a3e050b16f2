# run.id is not known in a plan, so it can be only in what is not executed.
play "p" {
  hosts = ["localhost"]
  probe "service" "a" {
    name = "x"
  }
  probe "service" "b" {
    when = probe.a.exists
    name = "y"
  }
  probe "service" "c" {
    when = probe.b.status == "ok" && probe.b.exists
    name = length(probe) == 2 ? "all of ${length(probe)} probes" : "some"
  }
  step "service" "d" {
    name = "x"
    note = "by ${run.id}"
  }
  step "reboot" "e" {
    when = run.id != ""
  }
  check "f" {
    severity      = "warning"
    condition     = startswith(run.id, "x")
    error_message = "this is ${run.id}"
  }
}
