locals {
  a = log(8) # ERROR: Function "log" expects 2 argument(s). Missing value for "base"
}
