locals {
  a = endswith("a") # ERROR: Function "endswith" expects 2 argument(s). Missing value for "suffix"
}
