check "setproduct" {
  condition     = length(setproduct(["a", "b"], [1, 2])) == 4
  error_message = "no"
}
