# attempts counts every execution; delay grows by backoff; on names the kinds that are worth another one; until waits for
# a result, which is kept when it never holds.
play "p" {
  hosts = ["vm1"]
  step "service" "start" {
    name  = "x"
    state = "started"
    retry {
      attempts = 4
      delay    = "10s"
      backoff  = 2
    }
  }
  probe "service" "wait" {
    name = "x"
    retry {
      attempts = 3
      delay    = "1m"
      until    = result.running
    }
  }
  step "service" "choosy" {
    name          = "y"
    state         = "started"
    ignore_errors = true
    retry {
      attempts = 5
      delay    = "1s"
      on       = ["timeout", "refused"]
    }
  }
  step "service" "judged" {
    name        = "z"
    state       = "started"
    failed_when = !result.running
    retry {
      delay = "2s"
    }
  }
}
