locals {
  a = trimsuffix("a.conf") # ERROR: Function "trimsuffix" expects 2 argument(s). Missing value for "suffix"
}
