locals {
  a = shq({}) # ERROR: string required, but have object
}
