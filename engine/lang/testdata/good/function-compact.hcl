check "compact" {
  condition     = length(compact(["a", "", null])) == 1
  error_message = "no"
}
