locals {
  a = sha512() # ERROR: Function "sha512" expects 1 argument(s). Missing value for "text"
}
