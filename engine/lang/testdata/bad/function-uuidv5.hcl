locals {
  a = uuidv5("DNS", "a") # ERROR: "dns", "url", "oid", "x500" or a UUID is required
}
