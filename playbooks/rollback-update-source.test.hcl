inventory {
  host "dsm1" {}
}

state = {
  mode = "Other update source"
}

mock "step" "ds_update_source" {
  status = state.mode == args.mode ? "unchanged" : "changed"
  set    = { mode = args.mode }
}

test "back to the vendor's source" {
  expect {
    acts = ["source on dsm1"]
  }
}

test "back to what the report says" {
  variables = { mode = "Mirror", url = "https://mirror.corp.example/au" }
  mock "step" "ds_update_source" {
    error = args.mode == "Mirror" && args.url == "https://mirror.corp.example/au" && !args.accept_no_tls_verification ? null : "something else was set"
  }
  expect {
    acts = ["source on dsm1"]
  }
}

test "there is nothing to put back" {
  state = { mode = "Trend Micro ActiveUpdate Server" }
  expect {}
}

test "DSM does not answer" {
  unreachable = ["dsm1"]
  expect {
    hosts = { dsm1 = "unreachable" }
  }
}
