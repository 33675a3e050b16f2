# What update-failed.hcl says and does, cause by cause. "dsplay test" runs it; docs/testing.md explains it.

inventory {
  host "dsm1" {}
}

variables = { computer = "42000000-0000-0000-0000-000000000001" }

state = {
  found   = true
  outcome = "failed"
  event   = "unknown" # why, as DSM tells it
  way     = "none"    # what is seen on the way to the update server
  url     = "http://" # of the update source
  works   = ""        # URL of the source with which an update succeeds
}

mock "probe" "ds_update_source" {
  result = {
    mode       = state.url == "http://" ? "Trend Micro ActiveUpdate Server" : args.other_source
    url        = state.url
    other      = state.url != "http://"
    unverified = endswith(state.url, "iau_server.dll//")
  }
}

mock "probe" "ds_update" {
  result = {
    found       = state.found
    outcome     = state.outcome
    cause       = state.event
    description = !state.found ? "DSM knows no such computer" : state.outcome == "unknown" ? "" : "the event's words"
  }
}

mock "probe" "tls_path" {
  result = {
    cause       = state.way
    intercepted = state.way == "intercepted"
    by          = state.way == "intercepted" ? "CN=Inspector" : ""
    message     = state.way == "none" ? "" : "iaus.trendmicro.com:443 (proxy): what was seen"
    paths       = []
  }
}

mock "step" "ds_update_source" {
  result = {
    mode       = args.other_source
    url        = args.url
    other      = true
    unverified = args.accept_no_tls_verification
    old_mode   = "Trend Micro ActiveUpdate Server"
    old_url    = state.url
  }
  error = endswith(args.url, "//") == args.accept_no_tls_verification ? null : "consent and URL do not fit"
  set   = { url = args.url }
}

mock "step" "ds_update" {
  result = { found = true, outcome = "successful", cause = "none", description = "" }
  error  = state.url == state.works ? null : "the update failed with ${state.url}"
}

test "the last update was successful" {
  state = { outcome = "successful", event = "none", way = "intercepted" }
  expect {
    warnings = ["an update failed"]
    says     = ["nothing is to be mended"]
  }
}

test "no event is no success" {
  variables = { mirror = "https://mirror.example/iau" }
  state     = { outcome = "unknown", way = "intercepted" }
  expect {
    stopped_by = "DSM knows how the last update ended"
    says       = ["DSM has no event of it", "Nothing was touched"]
  }
}

test "no such computer" {
  state = { found = false, outcome = "unknown" }
  expect {
    stopped_by = "DSM knows how the last update ended"
    says       = ["DSM knows no such computer"]
  }
}

test "DSM does not answer" {
  unreachable = ["dsm1"]
  expect {
    stopped_by = "DSM answers"
    hosts      = { dsm1 = "unreachable" }
    says       = ["dsplay ping dsm1"]
  }
}

test "TLS is inspected, and nobody has said what may be done" {
  state = { event = "tls", way = "intercepted" }
  expect {
    stopped_by = "the cause is mended from here"
    says       = ["TLS is inspected by CN=Inspector", "1. exempt", "4. only then", "the event's words"]
  }
}

test "a mirror, although the last resort is allowed, too" {
  variables = { mirror = "https://mirror.example/iau", accept_no_tls_verification = true }
  state     = { way = "intercepted", works = "https://mirror.example/iau" }
  expect {
    acts = ["source on dsm1", "proof on dsm1"]
    plan = { "source on dsm1" = "will_run", "proof on dsm1" = "will_run" }
  }
}

test "the last resort" {
  variables = { accept_no_tls_verification = true }
  state     = { way = "intercepted", works = "https://ipv6-iaus.trendmicro.com/iau_server.dll//" }
  expect {
    acts = ["source on dsm1", "proof on dsm1"]
  }
}

test "it fails with another source, too: how to go back" {
  variables = { mirror = "https://mirror.example/iau" }
  state     = { way = "intercepted" }
  expect {
    acts  = ["source on dsm1", "proof on dsm1"]
    hosts = { dsm1 = "failed" }
    says  = ["the update failed with https://mirror.example/iau", "rollback-update-source.hcl -i INVENTORY --var dsm=dsm1 --var 'mode=Trend Micro ActiveUpdate Server' --var url=http://"]
  }
}

test "how to go back, to a URL that would end its quotes in a shell" {
  variables = { mirror = "https://mirror.example/iau" }
  state     = { way = "intercepted", url = "http://old/'; reboot; '" }
  expect {
    hosts = { dsm1 = "failed" }
    acts  = ["source on dsm1", "proof on dsm1"]
    says  = ["--var 'url=http://old/'\\''; reboot; '\\'''"]
  }
}

test "what the signature is about, no source mends" {
  variables = { mirror = "https://mirror.example/iau" }
  state     = { event = "signature_expired", way = "intercepted" }
  expect {
    stopped_by = "the cause is mended from here"
    says       = ["signature expired", "No setting helps"]
  }
}

test "the way counts before DSM's words" {
  variables = { mirror = "https://mirror.example/iau" }
  state     = { event = "tls", way = "proxy_auth" }
  expect {
    stopped_by = "the cause is mended from here"
    says       = ["the proxy wants a login (407)"]
  }
}

test "the relay goes another way" {
  state = { event = "tls" }
  expect {
    stopped_by = "the cause is mended from here"
    says       = ["the relay goes another way than this machine", "the way is genuine"]
  }
}

test "no computer is named: nobody is asked" {
  variables = { computer = "" }
  expect {
    stopped_by = "a computer is named"
    says       = ["--var computer=BIOS_UUID"]
  }
}
