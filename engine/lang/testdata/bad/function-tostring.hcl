locals {
  a = tostring([]) # ERROR: cannot convert tuple to string
}
