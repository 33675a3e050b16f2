group "g" {
  connection "ssh" {
    user     = "u"
    password = secret("env:DSPLAY_TEST_NOT_SET")  # ERROR: the environment variable DSPLAY_TEST_NOT_SET is not set
  }
  sudo {
    password = secret("file:testdata/none")       # ERROR: there is no file testdata/none
  }
}
