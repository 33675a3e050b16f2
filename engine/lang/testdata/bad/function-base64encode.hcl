locals {
  a = base64encode({}) # ERROR: string required, but have object
}
