locals {
  a = chomp() # ERROR: Function "chomp" expects 1 argument(s). Missing value for "str"
}
