play "p" {
  hosts = ["localhost"]
  probe "service" "a" {
    name = "x-${run.id}"
  }
  probe "service" "b" {
    when = probe.a.exists
    name = "y"
  }
  probe "service" "c" {
    when = probe.b.status == "ok" && probe.b.exists
    name = length(probe) == 2 ? "all of ${length(probe)} probes" : "some"
  }
}
