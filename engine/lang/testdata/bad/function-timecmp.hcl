locals {
  a = timecmp("2024-02-29T12:00:00Z", "now") # ERROR: a time like 2026-01-31T23:59:00+09:00 is required
}
