check "psq" {
  condition     = psq("it's") == "'it''s'"
  error_message = "no"
}
