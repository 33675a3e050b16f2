check "setintersection" {
  condition     = length(setintersection(["a", "b"], ["b", "c"])) == 1
  error_message = "no"
}
