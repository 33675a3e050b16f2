locals {
  a = sha1({}) # ERROR: string required, but have object
}
