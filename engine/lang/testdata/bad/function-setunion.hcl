locals {
  a = setunion() # ERROR: Function "setunion" expects at least 1 argument(s). Missing value for "first_set"
}
