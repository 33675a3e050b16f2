host "a" {
  connection "ssh" {
    user = secret("env:DSPLAY_TEST_PW")           # ERROR: "user" takes no secret
  }
  sudo {
    user = secret("env:DSPLAY_TEST_PW")           # ERROR: "user" takes no secret
  }
}
