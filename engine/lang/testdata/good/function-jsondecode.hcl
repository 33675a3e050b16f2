check "jsondecode" {
  condition     = jsondecode("{\"a\": [1]}").a[0] == 1
  error_message = "no"
}
