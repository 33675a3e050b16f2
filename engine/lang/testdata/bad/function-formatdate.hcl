locals {
  a = formatdate("YYYY", "yesterday") # ERROR: not a valid RFC3339 timestamp: cannot use "yesterday" as year
}
