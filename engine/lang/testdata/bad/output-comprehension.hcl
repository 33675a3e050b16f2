play "p" {
  hosts = group.guests
  include "parts/output-comprehension-part.hcl" "i" {}
}
