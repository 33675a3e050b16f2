locals {
  a = basename([]) # ERROR: string required, but have tuple
}
