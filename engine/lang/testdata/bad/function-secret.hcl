locals {
  a = secret(["env:X"]) # ERROR: Argument "source" of secret() does not fit: string required, but have tuple
}
