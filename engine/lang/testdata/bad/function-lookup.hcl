locals {
  a = lookup({ a = "x" }, "b") # ERROR: nothing stands under this key, and no default is given
}
