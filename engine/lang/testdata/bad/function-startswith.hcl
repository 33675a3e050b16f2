locals {
  a = startswith("agent", "a", "g") # ERROR: Function "startswith" expects only 2 argument(s)
}
