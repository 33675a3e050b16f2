locals {
  a = urlencode(["a"]) # ERROR: string required, but have tuple
}
