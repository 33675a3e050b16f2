locals {
  a = psq([]) # ERROR: string required, but have tuple
}
