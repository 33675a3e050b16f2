locals {
  a = base64sha256(["a"]) # ERROR: Argument "text" of base64sha256() does not fit: string required
}
