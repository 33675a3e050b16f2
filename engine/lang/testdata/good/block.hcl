play "p" {
  hosts = group.guests
  block "outer" {
    title  = "All of it"
    impact = "some"
    tags   = ["x"]
    when   = self.rack == null
    probe "service" "a" {
      name = "a"
    }
    block "inner" {
      step "service" "b" {
        when  = probe.a.status == "ok" && !probe.a.running
        name  = "b"
        state = "started"
      }
    }
    rescue {
      check "kind" {
        condition     = block.outer.error.kind != "eval" && !block.inner.failed
        error_message = "${block.outer.error.host}: ${block.outer.error.text}"
      }
      step "service" "back" {
        name = "b"
        note = step.b.status
      }
    }
    finally {
      probe "service" "after" {
        name = "b"
      }
    }
  }
  recover "r" {
    when = !block.outer.failed && block.outer.status == "ok"
    goal {
      probe "service" "now" {
        name = "b"
      }
      condition = probe.now.running
    }
    attempt "one" {
      block "within" {
        step "reboot" "r" {}
        finally {
          step "esxi_mux" "m" {}
        }
      }
    }
  }
}
