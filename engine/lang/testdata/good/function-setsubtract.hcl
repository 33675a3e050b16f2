check "setsubtract" {
  condition     = length(setsubtract(["a", "b"], ["b"])) == 1
  error_message = "no"
}
