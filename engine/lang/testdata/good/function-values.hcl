check "values" {
  condition     = values({ b = 1, a = 2 })[0] == 2
  error_message = "no"
}
