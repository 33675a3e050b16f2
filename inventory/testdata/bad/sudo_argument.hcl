group "g" {
  sudo {
    passwd = "x"                       # ERROR: An argument named "passwd" is not expected here
    user   = ["root"]                  # ERROR: a string is required
  }
}
