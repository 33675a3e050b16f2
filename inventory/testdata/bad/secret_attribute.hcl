host "a" {
  token = secret("env:DSPLAY_TEST_PW") # ERROR: The attribute "token" would be shown
  url   = "https://${secret("env:DSPLAY_TEST_PW")}@h"   # ERROR: The attribute "url" would be shown
  list  = ["a", secret("env:DSPLAY_TEST_PW")]           # ERROR: The attribute "list" would be shown
  port  = parseint(secret("env:DSPLAY_TEST_PW"), 10)    # ERROR: because a secret is in it
}
