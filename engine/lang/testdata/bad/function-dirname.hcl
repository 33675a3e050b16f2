locals {
  a = dirname("a", "b") # ERROR: Function "dirname" expects only 1 argument(s)
}
