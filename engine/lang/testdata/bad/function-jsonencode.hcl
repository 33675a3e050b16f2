locals {
  a = jsonencode() # ERROR: Function "jsonencode" expects 1 argument(s). Missing value for "val"
}
