locals {
  a = coalesce(null, null) # ERROR: all are null or empty strings
}
