check "regexall" {
  condition     = length(regexall("[0-9]", "vm12")) == 2
  error_message = "no"
}
