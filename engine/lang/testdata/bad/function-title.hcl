locals {
  a = title({}) # ERROR: string required, but have object
}
