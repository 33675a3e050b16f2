locals {
  a = trim("--a--") # ERROR: Function "trim" expects 2 argument(s). Missing value for "cutset"
}
