check "coalesce" {
  condition     = coalesce(null, "", "a") == "a"
  error_message = "no"
}
