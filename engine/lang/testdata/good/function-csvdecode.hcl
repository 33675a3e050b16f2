check "csvdecode" {
  condition     = csvdecode("a,b\n1,2\n")[0].b == "2"
  error_message = "no"
}
