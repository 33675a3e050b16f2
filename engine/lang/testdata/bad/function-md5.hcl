locals {
  a = md5([]) # ERROR: string required, but have tuple
}
